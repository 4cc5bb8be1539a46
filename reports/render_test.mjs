// The program as users run it: folders in, files and exit status out.

import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {before, test} from 'node:test';
import {planRuns, writeSweep} from './testdata/fixture.mjs';
import {FIGURES, edit, fullRuns, render, report, root, tableIn, twoRuns} from './testdata/reporting.mjs';
import {MOST_BYTES, SHOTS} from './testdata/screenshots.mjs';

const hasRsvg = spawnSync('rsvg-convert', ['--version']).status === 0;

let full;
before(() => {
  full = report('full', fullRuns(), undefined, ['--readme', join(root, 'readme')]);
});

test('every plot is written as SVG, PDF and CSV, and is not empty', () => {
  assert.equal(full.status, 0, full.stderr);
  assert.deepEqual(
    full.done.plots.map((plot) => plot.name),
    FIGURES,
  );
  assert.deepEqual(full.done.absent, []);
  for (const plot of full.done.plots) {
    const svg = readFileSync(plot.svg, 'utf8');
    assert.match(svg, /^<svg /);
    assert.ok((svg.match(/<path|<line/g) ?? []).length > 15, `${plot.name} draws something`);
    assert.doesNotMatch(svg, /NaN|undefined|"@/);
    assert.match(svg, /fill="#ffffff"/, 'the files are on white');
    assert.ok(readFileSync(plot.csv, 'utf8').split('\n').length > 8, `${plot.name} has data`);
    if (hasRsvg) {
      assert.equal(readFileSync(plot.pdf).subarray(0, 5).toString(), '%PDF-');
      assert.ok(statSync(plot.pdf).size > 8000);
    } else {
      assert.equal(plot.pdf, null);
    }
  }
});

test('plots for a paper are as wide as its columns, and their text can be read', () => {
  const POINT = 25.4 / 72;
  for (const plot of full.done.plots) {
    for (const [columns, mm] of [['1col', 85], ['2col', 178]]) {
      const file = join(full.out, 'plots', `${plot.name}-${columns}.svg`);
      assert.equal(plot[`svg_${columns}`], file);
      const svg = readFileSync(file, 'utf8');
      const [, width, height, box] = /width="([\d.]+)mm" height="([\d.]+)mm" viewBox="0 0 ([\d.]+) /.exec(svg);
      assert.equal(Number(width), mm);
      assert.ok(Number(height) > 20);
      const sizes = [...svg.matchAll(/font-size="([\d.]+)px"/g)].map(([, px]) => Number(px));
      const least = (Math.min(...sizes) * (mm / Number(box))) / POINT;
      assert.ok(least >= 7, `${plot.name}-${columns}: ${least} pt`);
      if (!hasRsvg) continue;
      const media = /MediaBox \[ 0 0 ([\d.]+) /.exec(readFileSync(plot[`pdf_${columns}`], 'latin1'));
      assert.ok(Math.abs(Number(media[1]) * POINT - mm) < 0.1, 'the PDF is as wide');
    }
  }
});

test('only the files that are asked for are written, and unknown kinds are refused', () => {
  const few = report('few', twoRuns(), undefined, ['--files', 'svg,csv']);
  assert.equal(few.status, 0, few.stderr);
  const kinds = new Set(readdirSync(join(few.out, 'plots')).map((name) => name.split('.').pop()));
  assert.deepEqual(kinds, new Set(['svg', 'csv']));
  assert.ok(!readdirSync(join(few.out, 'plots')).some((name) => /-[12]col/.test(name)));
  assert.doesNotMatch(few.html, /href="[^"]*\.(pdf|md)"/, 'nothing links to what is not there');
  const wrong = render(few.dir, '--out', join(root, 'wrong'), '--files', 'svg,png');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--files: 'png' is not known; allowed: svg, pdf, csv, md, columns/);
});

test('marks that only the pointer needs are on the page, and not in files', () => {
  const hidden = /"opacity":0[,}]/;
  assert.match(full.html, hidden);
  const timeline = readFileSync(full.done.plots.find(({name}) => name === 'fault-timeline').svg, 'utf8');
  assert.doesNotMatch(timeline, / opacity="0"/);
});

test('the README plots come in light and dark', () => {
  assert.equal(full.done.readme.length, 4);
  for (const file of full.done.readme) {
    const dark = file.endsWith('-dark.svg');
    assert.match(readFileSync(file, 'utf8'), dark ? /#14181d/ : /fill="#ffffff"/);
  }
});

test('several folders make one report; two spellings of one folder count once', () => {
  const dir = join(root, 'second');
  writeSweep(dir, twoRuns());
  const out = join(root, 'both');
  const result = render(dir, full.dir, `${dir}/.`, '--out', out, '--json');
  assert.equal(result.status, 0, result.stderr);
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  assert.match(html, /2 sweeps/);
  const rows = tableIn(html, 'runs').match(/<tr>/g).length - 1;
  assert.equal(rows, Object.keys(full.written).length + 2);
});

test('a run whose events are not known words is refused', () => {
  const dir = join(root, 'strange-events');
  writeSweep(dir, planRuns({nodes: {}, kills: {raft: [3]}, repetitions: 1}));
  const file = join(dir, 'raft-3-kill-1/events.csv');
  writeFileSync(file, readFileSync(file, 'utf8').replace('leader_lost', 'leader_last'));
  const result = render(dir, '--out', join(root, 'strange-out'));
  assert.equal(result.status, 2, result.stderr);
  assert.match(result.stderr, /events\.csv: row 3: column 'event' is 'leader_last'; allowed: fault,/);
});

const broken = [
  ['not JSON', 'summary.json', () => '{', /summary\.json: not JSON/],
  ['a list', 'manifest.json', () => '[]', /manifest\.json: must hold a JSON object/],
  [
    'nodes as text',
    'manifest.json',
    (t) => t.replace('"nodes": 3', '"nodes": "three"'),
    /field 'nodes' is "three"; it must be a number >= 1/,
  ],
  ['half a node', 'manifest.json', (t) => t.replace('"nodes": 3', '"nodes": 2.5'), /whole number/],
  [
    'no strategy',
    'manifest.json',
    (t) => t.replace('"algorithm"', '"algorythm"'),
    /field 'algorithm' must name the strategy/,
  ],
  [
    'no throughput',
    'summary.json',
    (t) => t.replace('"achieved_ops_per_s"', '"achieved"'),
    /field 'achieved_ops_per_s' is missing/,
  ],
  [
    'a negative count',
    'summary.json',
    (t) => t.replace(/"refused": \d+/, '"refused": -1'),
    /field 'refused' is -1/,
  ],
  [
    'a percentile of words',
    'summary.json',
    (t) => t.replace(/"p99": [\d.]+/, '"p99": "slow"'),
    /field 'latency_us\.p99' is "slow"/,
  ],
  [
    'an unknown verdict',
    'summary.json',
    (t) => t.replace('"pass"', '"fine"'),
    /'consistency\.verdict' is "fine"; allowed: pass, fail, not_promised, not_checked/,
  ],
  [
    'a missing column',
    'timeline.csv',
    (t) => t.replace('unsent', 'unsend'),
    /timeline\.csv:1: column 'unsent' is missing/,
  ],
  [
    'words in a number',
    'histogram.csv',
    (t) => t.replace(/\n([\d.]+),/, '\nlow,'),
    /histogram\.csv:2: column 'latency_us_low' is 'low'/,
  ],
  ['a torn line', 'timeline.csv', (t) => `${t}9900,1\n`, /timeline\.csv:\d+: 2 cells/],
  [
    'a fault at no time',
    'faults.csv',
    (t) => `${t}kill-leader,1,,1,2,3\n`,
    /faults\.csv: row 1: column 'injected_ms' is empty/,
  ],
];

for (const [what, leaf, change, message] of broken) {
  test(`malformed input ends with status 2 and names the place: ${what}`, () => {
    const dir = join(root, `broken-${what.replaceAll(' ', '-')}`);
    writeSweep(dir, twoRuns());
    const file = join(dir, 'raft-3-r10000-1', leaf);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    const result = render(dir, '--out', join(root, 'broken-out'));
    assert.equal(result.status, 2, result.stderr);
    assert.match(result.stderr, message);
    assert.equal(existsSync(join(root, 'broken-out')), false, 'nothing is written');
  });
}

test('wrong usage ends with status 2', () => {
  for (const [args, message] of [
    [[], /name at least one folder/],
    [[full.dir], /--out OUT is missing/],
    [[join(root, 'nowhere'), '--out', root], /no such folder/],
    [[full.dir, '--out', root, '--colour'], /--colour/],
    [[join(full.dir, 'raft-3-r10000-1'), '--out'], /--out/],
  ]) {
    const result = render(...args);
    assert.equal(result.status, 2, args.join(' '));
    assert.match(result.stderr, message);
  }
  assert.equal(render('--help').status, 0);
});

test('a run that did not end, or an empty folder, is refused with the reason', () => {
  const dir = join(root, 'unfinished');
  writeSweep(dir, twoRuns());
  edit(join(dir, 'sweep.json'), (s) =>
    s.runs.forEach((run) => {
      run.state = 'pending';
    }),
  );
  const result = render(dir, '--out', join(root, 'unfinished-out'));
  assert.equal(result.status, 2);
  assert.match(result.stderr, /no finished run.*2 are failed or pending/s);
  const bad = render(root, '--out', join(root, 'x'), '--json');
  assert.equal(bad.status, 2, 'a folder that holds malformed sweeps is refused, too');
});

test('dependencies are pinned, and the lock file names no address', () => {
  const read = (leaf) => JSON.parse(readFileSync(new URL(leaf, import.meta.url), 'utf8'));
  for (const version of Object.values(read('package.json').dependencies)) {
    assert.match(version, /^\d+\.\d+\.\d+$/);
  }
  const packages = Object.values(read('package-lock.json').packages);
  assert.ok(packages.length > 3);
  assert.ok(packages.every((entry) => entry.resolved === undefined));
});

test('the screenshots of the documentation are there, small, and shown', () => {
  const docs = fileURLToPath(new URL('../docs/', import.meta.url));
  const text = readFileSync(join(docs, 'report.md'), 'utf8');
  for (const {name, width, height} of SHOTS) {
    const png = readFileSync(join(docs, `${name}.png`));
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [width, height], name);
    assert.ok(png.length < MOST_BYTES, `${name}: ${png.length} bytes`);
    assert.ok(text.includes(`${name}.png`), `docs/report.md shows ${name}`);
  }
});
