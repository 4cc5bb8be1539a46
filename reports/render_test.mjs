// The program as users run it: folders in, files and exit status out.

import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';
import {duration, perSecond} from './format.mjs';
import {CHROMIUM, browse} from './testdata/browser.mjs';
import {planRuns, writeSweep} from './testdata/fixture.mjs';
import {MOST_BYTES, SHOTS} from './testdata/screenshots.mjs';

const RENDER = fileURLToPath(new URL('render.mjs', import.meta.url));
const FIGURES = [
  'latency-throughput',
  'fault-timeline',
  'recovery',
  'both-sides',
  'divergence',
  'staleness',
  'latency-distribution',
  'cost-nodes',
  'cost-per-operation',
  'predicted',
];
const hasRsvg = spawnSync('rsvg-convert', ['--version']).status === 0;

const root = mkdtempSync(join(tmpdir(), 'parley-reports-'));
after(() => rmSync(root, {recursive: true, force: true}));

const start = (args, env) =>
  spawnSync(process.execPath, [RENDER, ...args], {encoding: 'utf8', env});
const render = (...args) => start(args, process.env);

/**
 * Writes a sweep of these runs, renders it (without rsvg-convert unless `options` are given: it is
 * slow), and returns what came of it.
 */
function report(name, runs, prepare = () => {}, options = null) {
  const dir = join(root, name);
  const written = writeSweep(dir, runs);
  prepare(dir);
  const out = join(root, `${name}-out`);
  const env = options ? process.env : {...process.env, PATH: ''};
  const result = start([dir, '--out', out, '--json', ...(options ?? [])], env);
  const done = result.status === 0 ? JSON.parse(result.stdout) : null;
  const html = done ? readFileSync(done.report, 'utf8') : '';
  return {...result, written, dir, out, done, html};
}

const edit = (file, change) => {
  const value = JSON.parse(readFileSync(file, 'utf8'));
  change(value);
  writeFileSync(file, JSON.stringify(value));
};
const titles = (result) => result.done.flags.map((flag) => flag.title).join('\n');
const twoRuns = () => planRuns({nodes: {raft: [3]}, rates: [10000], repetitions: 2, kills: {}});

let full;
before(() => {
  full = report(
    'full',
    planRuns({
      nodes: {unreplicated: [1], raft: [3, 5], gossip_lww: [3]},
      kills: {raft: [3]},
      splits: {raft: [3], gossip_lww: [3]},
    }),
    undefined,
    ['--readme', join(root, 'readme')],
  );
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

const rowsOf = (file) => {
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const columns = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [columns[at], cell])));
};

test('medians stand beside their intervals: in files, plots and tables', () => {
  const plot = full.done.plots.find((p) => p.name === 'latency-throughput');
  const rates = [1, 2, 3].map((n) => full.written[`raft-3-r200000-${n}`].summary.latency_us.p99 / 1000);
  rates.sort((a, b) => a - b);
  const row = rowsOf(plot.medians).find((r) => {
    return r.series === 'raft · 3 nodes' && r.load === '200 k/s offered' && r.percentile === 'p99';
  });
  assert.deepEqual([row.latency_ms_low, row.latency_ms, row.latency_ms_high].map(Number), rates);
  assert.deepEqual([row.repetitions, row.latency_ms_n, row.latency_ms_interval], ['3', '3', 'range of 3']);
  assert.match(readFileSync(plot.md, 'utf8'), /\| range of 3 \|/);
  const table = /<table id="medians">.*?<\/table>/s.exec(full.html)[0];
  const cells = rates.map((ms) => duration(ms * 1000));
  assert.ok(table.includes(`>${cells[1]} (${cells[0]} – ${cells[2]})<`), cells.join());
  for (const name of ['latency-throughput', 'cost-nodes', 'cost-per-operation']) {
    const layers = figureOf(name).panels[0].rows[0].spec.layer;
    const bar = layers.find(({mark, encoding}) => {
      return mark.type === 'rule' && (encoding.y2 ?? encoding.x2)?.field.endsWith('_high');
    });
    assert.ok(bar.data.values.length > 0, `${name} has error bars`);
  }
  for (const name of ['fault-timeline', 'both-sides', 'divergence', 'latency-distribution']) {
    const layers = figureOf(name).panels[0].rows.flatMap(({spec}) => spec.layer);
    const band = layers.find(({encoding}) => encoding.y2?.field?.endsWith('_high'));
    assert.ok(band.data.values.length > 0, `${name} has bands`);
  }
  const [queue] = rowsOf(full.done.plots.find((p) => p.name === 'predicted').csv);
  assert.ok(Number(queue.measured_low) < Number(queue.measured), 'models stand beside intervals, too');
  assert.equal(queue.measured_interval, 'range of 3');
  assert.match(full.html, /whole range of the repetitions \(fewer than 6/);
});

test('from six repetitions on the interval is a confidence interval', () => {
  const runs = planRuns({nodes: {raft: [3]}, rates: [10000], repetitions: 9, kills: {}});
  runs.forEach((run, at) => (run.summary = {achieved_ops_per_s: 9001 + at}));
  const result = report('nine', runs);
  const plot = result.done.plots.find((p) => p.name === 'latency-throughput');
  const [row] = rowsOf(plot.medians);
  assert.deepEqual(
    [row.achieved_ops_per_s_low, row.achieved_ops_per_s, row.achieved_ops_per_s_high],
    ['9002', '9005', '9008'],
  );
  assert.equal(row.latency_ms_interval, '95 %');
  assert.match(result.html, /Le Boudec 2010, §2\.2/);
});

test('tables name the interval of a figure that only some repetitions have', () => {
  const runs = planRuns({nodes: {raft: [3]}, rates: [10000], repetitions: 6, kills: {raft: [3]}});
  const of = (faults) => runs.filter((run) => run.faults === faults);
  of('none').forEach((run, at) => {
    run.summary = {achieved_ops_per_s: 9001 + at, messages_per_op: at < 2 ? 2 + at : null};
  });
  const result = report('some', runs, (dir) => {
    of('kill-leader').slice(1).forEach(({name}) => rmSync(join(dir, name, 'timeline.csv')));
  });
  assert.equal(result.status, 0, result.stderr);
  const table = (id) => new RegExp(`<table id="${id}">.*?</table>`, 's').exec(result.html)[0];
  assert.match(table('medians'), /<td>95 %<\/td>.*>2\.5 \(2 – 3\), range of 2</s);
  assert.doesNotMatch(table('medians'), /9 k\/s[^<]*range/, 'all have their throughput');
  assert.match(table('recoveries'), />[\d,]+, one run</);
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

test('no two things of the page have one name', () => {
  const ids = [...full.html.replace(/<script[\s\S]*?<\/script>/g, '').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(ids.filter((id, at) => ids.indexOf(id) !== at), []);
  assert.ok(ids.length > 50);
});

test('the README plots come in light and dark', () => {
  assert.equal(full.done.readme.length, 4);
  for (const file of full.done.readme) {
    const dark = file.endsWith('-dark.svg');
    assert.match(readFileSync(file, 'utf8'), dark ? /#14181d/ : /fill="#ffffff"/);
  }
});

test('no repetition is dropped from the data or from the table', () => {
  const csv = readFileSync(join(full.out, 'plots/latency-throughput.csv'), 'utf8');
  const steady = Object.keys(full.written).filter((name) => !/kill|split/.test(name));
  for (const name of steady) {
    assert.equal(csv.split('\n').filter((line) => line.endsWith(`/${name}`)).length, 2, name);
  }
  const rows = /<table id="runs">.*?<\/table>/s.exec(full.html)[0].match(/<tr>/g).length - 1;
  assert.equal(rows, Object.keys(full.written).length);
});

test('the table shows the figures of the result files', () => {
  const table = /<table id="runs">.*?<\/table>/s.exec(full.html)[0];
  for (const [name, {summary}] of Object.entries(full.written)) {
    const row = table.split('<tr>').find((text) => text.includes(`>full/${name}<`));
    assert.ok(row, name);
    for (const text of [
      perSecond(summary.achieved_ops_per_s),
      duration(summary.latency_us.p50),
      duration(summary.latency_us.p99),
      summary.completed.toLocaleString('en-US'),
      summary.unsent.toLocaleString('en-US'),
    ]) {
      assert.ok(row.includes(`>${text}<`), `${name}: ${text}`);
    }
  }
});

test('the tables show what a run and each of its nodes cost in detail', () => {
  const runs = /<table id="runs">.*?<\/table>/s.exec(full.html)[0];
  const row = runs.split('<tr>').find((text) => text.includes('>full/raft-3-r10000-1<'));
  for (const text of ['0.731', '0.00731', '54.3', '4.53']) {
    assert.ok(row.includes(`<td class="n">${text}</td>`), text);
  }
  const nodes = /<table id="nodes">.*?<\/table>/s.exec(full.html)[0];
  const cell = (text) => nodes.split(`<td class="n">${text}</td>`).length - 1;
  const told = Object.values(full.written).filter(({summary}) => summary.cost_by_node);
  assert.equal(cell('7.11'), told.length, 'the first node of each');
  assert.equal(cell('11.1'), told.filter(({manifest}) => manifest.nodes === 5).length);
});

test('the killed leader costs what faults.csv and timeline.csv say', () => {
  const table = /<table id="faults">.*?<\/table>/s.exec(full.html)[0];
  for (const name of ['raft-3-kill-1', 'raft-3-kill-2', 'raft-3-kill-3']) {
    const {summary} = full.written[name];
    const [{noticed_ms: noticed, first_success_ms: first, back_to_95_ms: back, unavailable_ms: none}] =
      summary.recovery;
    const cells = [noticed, first, back, none]
      .map((ms) => `<td class="n">${ms === undefined ? '–' : `${ms} ms`}</td>`)
      .join('');
    const pixels = [summary.refused, summary.unknown, summary.unsent]
      .map((n) => `<td class="n">${n.toLocaleString('en-US')}</td>`)
      .join('');
    assert.ok(table.includes(cells + pixels), `${name}: ${cells}${pixels}`);
    assert.ok(full.html.includes(`${noticed} · ${first} · ${back} ms`), 'annotated in the plot');
  }
});

test('the recovery of each strategy stands in bars, beside the pixels it cost', () => {
  const kills = [1, 2, 3].map((n) => full.written[`raft-3-kill-${n}`].summary);
  const ordered = (pick) => kills.map(pick).sort((a, b) => a - b);
  const {panels} = figureOf('recovery');
  const bars = (title) => {
    const panel = panels.find((p) => p.title === title);
    return panel.rows[0].spec.layer[0].data.values.filter((bar) => bar.series.startsWith('raft'));
  };
  const shown = bars('kill-leader: recovery').map((bar) => [bar.value_low, bar.value, bar.value_high]);
  assert.deepEqual(
    shown,
    ['noticed_ms', 'first_success_ms', 'back_to_95_ms'].map((name) => ordered((s) => s.recovery[0][name])),
  );
  const unsent = bars('kill-leader: pixels').find((bar) => bar.kind === 'unsent');
  assert.equal(unsent.value, ordered((s) => s.unsent)[1]);
  assert.ok(!bars('kill-leader: pixels').some((bar) => bar.kind === 'lost'), 'none was');
  // Clients were served, and no change of leader was noticed: there was none.
  const [first] = bars('partition-leader: recovery');
  assert.deepEqual([first.kind, first.label], ['first success', '3']);
  const gossip = panels.find((p) => p.title === 'partition-leader: pixels').rows[0].spec.layer[0];
  assert.deepEqual(
    gossip.data.values.map((bar) => [bar.series, bar.kind, bar.value]),
    [['gossip_lww · 3 nodes', 'superseded', 77]],
  );
  const plot = full.done.plots.find((p) => p.name === 'recovery');
  const row = rowsOf(plot.medians).find((r) => r.fault === 'kill-leader');
  assert.equal(Number(row.back_to_95_ms), ordered((s) => s.recovery[0].back_to_95_ms)[1]);
  const table = /<table id="recoveries">.*?<\/table>/s.exec(full.html)[0];
  const [low, middle, high] = ordered((s) => s.recovery[0].noticed_ms);
  assert.ok(table.includes(`>${middle} ms (${low} ms – ${high} ms)<`), table);
});

test('what followed a fault stands above what followed it in the simulator', () => {
  assert.match(full.html, /who leads: live, and the same faults simulated/);
  const figures = JSON.parse(/id="figures">(.*?)<\/script>/s.exec(full.html)[1]);
  const {panels} = figures.find((figure) => figure.name === 'fault-timeline');
  const panel = panels.find(({title}) => title.endsWith('kill-leader'));
  const layers = panel.rows[1].spec.layer.map((layer) => layer.data.values);
  const [bands, successes, , , labels] = layers;
  assert.deepEqual(
    labels.map((line) => line.text),
    ['rep 1', 'rep 2', 'rep 3', 'simulated rep 1', 'simulated rep 2', 'simulated rep 3'],
  );
  const [old, other] = bands.filter((band) => band.row === 0);
  const {noticed_ms: noticed} = full.written['raft-3-kill-1'].summary.recovery[0];
  assert.deepEqual([old.another, old.until], [false, noticed - 10]);
  assert.deepEqual(
    [other.another, other.from, other.text],
    [true, noticed, 'node 2 leads, epoch 4'],
  );
  const {first_success_ms: first} = full.written['raft-3-kill-1'].summary.recovery[0];
  assert.equal(successes[0].text, `first success after ${first} ms`);
  const findings = /id="findings">.*?<\/section>/s.exec(full.html)[0].replace(/<[^>]+>/g, '');
  const story = 'yes: kill-leader: leader lost, another leads, success (3 runs).';
  const sentence = `raft · 3 nodes, kill-leader: same order of events as simulated: ${story}`;
  assert.ok(findings.includes(sentence), sentence);
});

/** The figure of that name as the page has it. */
function figureOf(name) {
  return JSON.parse(/id="figures">(.*?)<\/script>/s.exec(full.html)[1]).find((f) => f.name === name);
}

/** The values of every layer of the row of that title, in the panel of that series. */
function layersOf(figure, series, row) {
  const panel = figure.panels.find(({title}) => title.startsWith(series));
  const found = panel.rows.find(({title}) => title.startsWith(row));
  return found && found.spec.layer.map((layer) => layer.data.values);
}

test('gossip serves both sides of a partition, an order one', () => {
  const figure = figureOf('both-sides');
  const during = (series, side) => {
    const [, middle] = layersOf(figure, series, side);
    const rows = middle.filter((row) => row.t_ms >= 100 && row.t_ms < 2400);
    assert.ok(rows.length > 20);
    return rows.map((row) => [row.placed_per_s, row.refused_per_s]);
  };
  assert.ok(during('gossip_lww', 'cut off: node 1').every((row) => `${row}` === '270,0'));
  assert.ok(during('gossip_lww', 'the others: nodes 2 3').every((row) => `${row}` === '530,0'));
  assert.ok(during('raft', 'cut off: node 1').every((row) => `${row}` === '0,400'));
  assert.ok(during('raft', 'the others: nodes 2 3').every((row) => `${row}` === '530,0'));
});

test('what merges diverges, what has an order lags, until some time after the healing', () => {
  const figure = figureOf('divergence');
  const [[band], interval, , middle, , marks] = layersOf(figure, 'gossip_lww', 'divergent cells');
  assert.equal(band.until, 2500);
  assert.ok(interval.every((row) => row.most_low === row.most_high), 'the repetitions are alike');
  assert.equal(Math.max(...middle.map((row) => row.most)), 2450);
  assert.equal(marks.length, 3);
  assert.deepEqual([marks[0].t, marks[0].text], [2620, 'agreed 120 ms after the healing']);
  assert.equal(layersOf(figure, 'gossip_lww', 'lag'), undefined);
  const lag = layersOf(figure, 'raft · 3 nodes, partition', 'lag')[3];
  assert.equal(Math.max(...lag.map((row) => row.most)), 4900);
  assert.equal(layersOf(figure, 'raft · 3 nodes, partition', 'divergent'), undefined);
});

test('staleness is drawn as measured, beside what the model predicts', () => {
  const [seen, ms, versions] = figureOf('staleness').panels;
  const [predicted, , measured] = seen.rows[0].spec.layer.map((layer) => layer.data.values);
  const gossip = (values) => values.filter((row) => row.series.startsWith('gossip'));
  assert.deepEqual(
    gossip(measured).map((row) => [row.reads, row.share]),
    [
      [30, 0.4],
      [1500, 0.8],
      [3000, 0.95],
    ],
    'three repetitions together; the axis ends soon after the last bin that is not all seen',
  );
  assert.ok(gossip(predicted).some((row) => row.predicted === 0.82));
  const curve = (panel) => {
    return gossip(panel.rows[0].spec.layer[0].data.values).map((row) => [row.x, row.share]);
  };
  assert.deepEqual(curve(ms), [
    [0.1, 0.075],
    [10, 0.01],
    [2512, 0.01],
  ]);
  assert.deepEqual(curve(versions), [
    [1, 0.075],
    [2, 0.075],
    [9, 0.005],
  ]);
});

test('what each strategy did to data stands side by side', () => {
  const table = /<table id="consistency">.*?<\/table>/s.exec(full.html)[0];
  const row = table.split('<tr>').find((text) => text.includes('gossip_lww · 3 nodes'));
  for (const text of ['231', '15', '2,400', '7.5 %, at most 2.4 s and 9 versions', '120 ms']) {
    assert.ok(row.includes(`<td class="n">${text}</td>`), text);
  }
  const raft = table.split('<tr>').find((text) => text.includes('raft · 3 nodes'));
  assert.ok(raft.includes('2.5 %, at most 2.4 s and 9 versions'));
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

test('the page loads nothing from anywhere', () => {
  const ours = full.html.replace(/<script>[\s\S]*?<\/script>/g, '');
  assert.doesNotMatch(ours, /https?:\/\//);
  assert.doesNotMatch(ours, /<(script|link|img|iframe|object|source)\b[^>]*\b(src|href|data)=/i);
  assert.doesNotMatch(ours, /@import|url\(\s*["']?(https?:)?\/\//i);
  assert.match(full.html, /Content-Security-Policy" content="default-src 'none';/);
  assert.match(full.html, /id="licenses">Copyright/, 'the libraries inside keep their licence');
  assert.ok(full.html.length < 3e6, `${full.html.length} bytes`);
});

test('captions state cost, conditions and the manifest allows a repetition', () => {
  assert.match(full.html, /share 2 cores: this is cost, not scalability/);
  assert.match(full.html, /10 s measured after 2 s of warm-up/);
  assert.match(full.html, /Synthetic CPU, 2 cores, 8\.0 GiB/);
  assert.match(full.html, /parley sweep full\.toml/);
  assert.match(full.html, /election_timeout_min_ms = 150/);
  assert.equal(full.html.match(/<details class="run"/g).length, Object.keys(full.written).length);
});

test('findings are written from the data', () => {
  const findings = /id="findings">.*?<\/section>/s.exec(full.html)[0].replace(/<[^>]+>/g, '');
  assert.match(findings, /raft · 3 nodes carried 200 k\/s, all that was offered/);
  assert.match(findings, /raft from 3 to 5 nodes at 200 k\/s offered/);
  assert.match(findings, /raft · 3 nodes, kill-leader: noticed after \d+ – \d+ ms/);
  assert.match(findings, /[\d,]+ superseded/);
});

test('plots that the data cannot give are named as absent', () => {
  const small = report('small', twoRuns(), (dir) => {
    for (const run of ['raft-3-r10000-1', 'raft-3-r10000-2'])
      rmSync(join(dir, run, 'histogram.csv'));
  });
  assert.deepEqual(
    small.done.absent.map((a) => a.name),
    [
      'fault-timeline',
      'recovery',
      'both-sides',
      'divergence',
      'staleness',
      'latency-distribution',
      'cost-nodes',
    ],
  );
  assert.match(small.html, /Absent: no run injected a fault/);
  assert.match(small.html, /Absent: no recorded run has reads/);
  assert.match(small.html, /Absent: fewer than two node counts/);
  assert.match(small.stderr, /no PDF: rsvg-convert is missing/);
  assert.ok(small.done.plots.every((plot) => plot.pdf === null));
  assert.match(titles(small), /histogram\.csv is absent in 2 runs/);
});

test('the baseline has a figure of its own and is in no other', () => {
  const plain = twoRuns();
  const between = [1, 2, 3].map((repetition) => ({
    ...plain[0],
    name: `baseline-0${repetition}`,
    algorithm: 'unreplicated',
    nodes: 1,
    repetition,
    manifest: {baseline: true},
    summary: {achieved_ops_per_s: [50000, 54000, 52000][repetition - 1]},
  }));
  const result = report('baseline', [between[0], plain[0], between[1], plain[1], between[2]]);
  assert.equal(result.status, 0, result.stderr);
  const [plot] = result.done.plots.filter((p) => p.name === 'baseline');
  assert.equal(readFileSync(plot.csv, 'utf8').trim().split('\n').length, 4);
  assert.match(result.html, /3 runs, 52 k\/s, 7\.7 % apart, no drift/);
  const table = /<table id="runs">.*?<\/table>/s.exec(result.html)[0];
  assert.ok(!table.includes('baseline-'));
  assert.match(result.html, /<div class="value">2 of 2<\/div>/);
});

test('options that vary are series of their own, a figure, and sentences', () => {
  const runs = planRuns({nodes: {bully_2pc: [3]}, rates: [10000], repetitions: 2, kills: {}});
  const cells = [0, 100].flatMap((interval) =>
    ['epoch', 'none'].flatMap((fencing) =>
      runs.map((run, at) => ({
        ...run,
        name: `${interval}-${fencing}-${at}`,
        manifest: {options: {batch_interval_ms: interval, fencing, pipeline: 1}},
        summary: {
          latency_us: {min: 1, p50: 500 + 520 * interval, p90: 1e6, p99: 1e6, p999: 1e6, max: 1e6},
        },
      })),
    ),
  );
  const result = report('options', cells);
  assert.equal(result.status, 0, result.stderr);
  const plot = result.done.plots.find((p) => p.name === 'options');
  const rows = readFileSync(plot.csv, 'utf8').trim().split('\n');
  assert.equal(rows.length, 1 + cells.length * 2, 'every repetition, both measures');
  assert.match(rows[1], /fencing (epoch|none)/);
  assert.match(result.html, /bully_2pc, fencing none, batch_interval_ms 100 · 3 nodes|batch_interval_ms 100, fencing none · 3 nodes/);
  assert.match(result.html, /with batch_interval_ms 0 → 100 the median latency goes from/);
  assert.match(result.html, /500 µs to 52.5 ms/);
  assert.match(result.html, /0.52 of each ms added/);
  assert.ok(!report('no-options', twoRuns()).done.plots.some((p) => p.name === 'options'));
});

test('where the time of a recovery went is told from the events', () => {
  assert.match(full.html, /passed until the silence was noticed/);
  assert.match(full.html, /until another leader was elected/);
});

test('growing clusters are drawn where they were measured', () => {
  const row = (nodes, rounds) => `gossip_lww,${nodes},1,12.5,${rounds},9,4000,1500`;
  const header =
    'algorithm,nodes,seed,agreed_after_ms,rounds,promised_rounds,bytes_to_agree,idle_bytes_per_s';
  const measured = (lines) => (dir) =>
    writeFileSync(join(dir, 'scaling.csv'), [header, ...lines, ''].join('\n'));
  const result = report('scaling', twoRuns(), measured([row(10, 2.5), row(1000, 6)]));
  assert.equal(result.status, 0, result.stderr);
  const plot = result.done.plots.find((p) => p.name === 'scaling');
  assert.match(readFileSync(plot.csv, 'utf8'), /1000/);
  assert.match(readFileSync(plot.svg, 'utf8'), /rounds of exchange until all agree/);
  assert.match(result.html, /Simulated clusters as they grow/);
  const broken = report('scaling-broken', twoRuns(), measured(['gossip_lww,10,1,12,,9,4000,1500']));
  assert.equal(broken.status, 2);
  assert.match(broken.stderr, /scaling\.csv: row 1: column 'rounds' is empty/);
});

test('latency is drawn by region where clients have places', () => {
  const regions = [
    {name: 'Tokyo', operations: 10, latency_us: {p50: 120000, p99: 150000}},
    {name: 'Frankfurt', operations: 10, latency_us: {p50: 220000, p99: '>5000000'}},
  ];
  const result = report('locality', twoRuns(), (dir) => {
    edit(join(dir, 'raft-3-r10000-1', 'summary.json'), (s) => (s.regions = regions));
  });
  assert.equal(result.status, 0, result.stderr);
  const plot = result.done.plots.find((p) => p.name === 'locality');
  assert.match(readFileSync(plot.csv, 'utf8'), /Tokyo,p50,120/);
  assert.match(readFileSync(plot.svg, 'utf8'), /Frankfurt/);
  assert.match(result.html, /1 value lies above the time-out/);
});

test('rates that were searched for are drawn beside the saturation', () => {
  const search = {
    objective: 'p99<=10ms',
    saturation_ops_per_s: 20000,
    rate_low: 15000,
    rate_high: 15600,
    confirmed: false,
  };
  const result = report('knee', twoRuns(), (dir) => {
    for (const run of ['raft-3-r10000-1', 'raft-3-r10000-2']) {
      edit(join(dir, run, 'summary.json'), (s) => (s.search = search));
    }
  });
  assert.equal(result.status, 0, result.stderr);
  const plot = result.done.plots.find((p) => p.name === 'knee');
  assert.match(readFileSync(plot.csv, 'utf8'), /15000,15600,20000/);
  assert.match(result.html, /2 of 2 were missed by the run that repeated them/);
  assert.match(result.html, /highest rate with p99(<|&lt;)=10ms/);
  const broken = report('knee-broken', twoRuns(), (dir) => {
    edit(join(dir, 'raft-3-r10000-1', 'summary.json'), (s) => (s.search = {rate_low: 1}));
  });
  assert.equal(broken.status, 2);
  assert.match(broken.stderr, /search\.saturation_ops_per_s/);
});

/** The runs of `twoRuns` under each of these manifests, with a summary that `figures` makes of both. */
function under(manifests, figures, runs = twoRuns()) {
  return manifests.flatMap((manifest, at) =>
    runs.map((run) => {
      return {...run, name: `${run.name}-${at}`, manifest, summary: figures(manifest, run)};
    }),
  );
}
const plotOf = (result, name) => result.done.plots.find((p) => p.name === name);
const panelsIn = (result, name) =>
  JSON.parse(/id="figures">(.*?)<\/script>/s.exec(result.html)[1]).find((f) => f.name === name).panels;
const linesIn = (panel) => {
  return panel.rows[0].spec.layer.find(({mark}) => mark.type === 'line').data.values;
};

test('what contention costs is drawn over workloads, least contended first', () => {
  const shares = {'hotspot:0.9@16': 0.05, uniform: 0, rplace: 0.5, zipf: 0.01};
  const workloads = Object.keys(shares).map((workload) => ({workload}));
  const result = report('contention', under(workloads, ({workload}) => ({
    completed: 1000,
    refused: 20,
    unknown: 0,
    consistency: {verdict: 'pass', superseded: 1000 * shares[workload]},
  })));
  assert.equal(result.status, 0, result.stderr);
  const panels = panelsIn(result, 'contention');
  assert.deepEqual(
    panels.map((panel) => panel.title.split(' ')[0]),
    ['placements', 'p50', 'p99', 'refused', 'superseded'],
  );
  const values = linesIn(panels[4]).map((row) => [row.workload, row.superseded_per_1000]);
  assert.deepEqual(values, [
    ['uniform', 0],
    ['zipf', 10],
    ['hotspot:0.9@16', 50],
  ]);
  assert.ok(linesIn(panels[3]).every((row) => row.refused_per_1000 === 20000 / 1020));
  const rows = rowsOf(plotOf(result, 'contention').csv);
  assert.equal(rows.length, 6, 'every repetition, but of a workload that tells no shares');
  assert.equal(Number(rows[0].meeting_chance), 1e-6);
  assert.ok(!report('calm', under([{workload: 'uniform'}], () => ({}))).html.includes('id="contention"'));
});

test('throughput and p99 stand in a map of node counts and shares of reads', () => {
  const runs = planRuns({nodes: {raft: [3, 5], gossip_lww: [3]}, rates: [10000], repetitions: 3, kills: {}});
  const manifests = [0, 0.9].map((share) => ({read_share: share}));
  const result = report('heat', under(manifests, ({read_share: share}, run) => ({
    achieved_ops_per_s: 1000 * run.nodes + 100 * share + run.repetition,
  }), runs));
  assert.equal(result.status, 0, result.stderr);
  const panels = panelsIn(result, 'heat-map');
  assert.deepEqual(
    panels.map((panel) => panel.title),
    ['raft: operations per second', 'raft: p99 latency (ms)'],
    'gossip was measured at one node count',
  );
  const [tiles] = panels[0].rows[0].spec.layer.map((layer) => layer.data.values);
  assert.deepEqual(
    tiles.map((tile) => [tile.nodes, tile.read_share, tile.full, tile.heat]),
    [
      [3, 0, '3,002 (3,001 – 3,003)', 0],
      [3, 0.9, '3,092 (3,091 – 3,093)', 90 / 2090],
      [5, 0, '5,002 (5,001 – 5,003)', 2000 / 2090],
      [5, 0.9, '5,092 (5,091 – 5,093)', 1],
    ],
  );
  const medians = rowsOf(plotOf(result, 'heat-map').medians);
  assert.deepEqual(Object.keys(medians[0]).slice(0, 6), [
    'series',
    'algorithm',
    'nodes',
    'setting',
    'load',
    'read_share',
  ]);
  assert.match(readFileSync(plotOf(result, 'heat-map').svg, 'utf8'), />90 %</);
  assert.ok(!result.done.absent.some(({name}) => name === 'heat-map'));
});

test('batch sizes and durability modes stand in order, a line for each mode', () => {
  const manifests = [64, 8, 1].flatMap((batch) =>
    ['group_commit', 'none'].map((durability) => ({batch, durability})),
  );
  const result = report('ablation', under(manifests, ({batch, durability}) => ({
    achieved_ops_per_s: 1000 * batch + (durability === 'none' ? 500 : 0),
  })));
  assert.equal(result.status, 0, result.stderr);
  const [throughput] = panelsIn(result, 'ablation');
  assert.equal(throughput.title, 'raft · 3 nodes: placements per second');
  assert.deepEqual(
    linesIn(throughput).map((row) => [row.batch, row.durability, row.achieved_ops_per_s]),
    [1, 8, 64].flatMap((batch) => [
      [batch, 'none', 1000 * batch + 500],
      [batch, 'group_commit', 1000 * batch],
    ]),
  );
  const modes = manifests.filter(({batch}) => batch === 1);
  const durable = report('durability', under(modes, () => ({})));
  assert.deepEqual(
    linesIn(panelsIn(durable, 'ablation')[0]).map((row) => row.durability),
    ['none', 'group_commit'],
    'with one batch size the modes are the axis',
  );
  assert.equal(plotOf(report('one-mode', twoRuns()), 'ablation'), undefined);
});

test('the bare transport is a ceiling, not the fastest strategy', () => {
  const result = report('ceiling', twoRuns(), (dir) => {
    rmSync(join(dir, 'raft-3-r10000-2', 'histogram.csv'));
    edit(join(dir, 'raft-3-r10000-2', 'manifest.json'), (m) => (m.algorithm = 'bare_path'));
    edit(join(dir, 'raft-3-r10000-2', 'summary.json'), (s) => (s.achieved_ops_per_s = 9e6));
  });
  assert.equal(result.status, 0, result.stderr);
  const tile = /Highest throughput of a strategy.*?<div class="note">([^<]*)/s.exec(result.html);
  assert.match(tile[1], /^raft · 3 nodes/);
  assert.doesNotMatch(titles(result), /is absent/);
});

test('missing runs are named', () => {
  const result = report('missing', twoRuns(), (dir) => {
    rmSync(join(dir, 'raft-3-r10000-2', 'summary.json'));
    edit(join(dir, 'sweep.json'), (s) => s.runs.push({name: 'raft-5-x', state: 'failed'}));
  });
  const flag = result.done.flags.find((f) => f.title === '2 runs missing');
  assert.equal(flag.level, 'stop');
  assert.match(flag.text, /raft-3-r10000-2 \(no summary\.json\)/);
  assert.match(flag.text, /raft-5-x \(failed\)/);
  assert.match(result.html, /1 of 3/);
});

test('unlike runs, failed checks and limited generators raise loud flags', () => {
  const runs = planRuns({nodes: {raft: [3]}, rates: [10000], repetitions: 3, kills: {}});
  runs[0].manifest = {
    durability: 'async',
    read_mode: 'linearizable',
    routing: 'leader',
    batch: 64,
    host: {cpu: 'Another CPU', cores: 64},
    notes: ['the clock stepped'],
    software: {commit: 'fedcba', build_type: 'Debug'},
  };
  runs[1].summary = {
    generator: {cpu_share: 1, late_share: 0.2, limited: true, limited_by: 'lateness'},
  };
  runs[2].summary = {
    consistency: {verdict: 'fail', lost: 3},
    latency_us: {p50: 200, p99: '>5000000'},
  };
  const result = report('unlike', runs);
  assert.equal(result.status, 0, result.stderr);
  for (const expected of [
    /^Consistency check failed in 1 run/m,
    /durability differs/,
    /reads differs/,
    /routing differs/,
    /batch differs/,
    /host differs/,
    /build differs/,
    /commit differs/,
    /Load generator limited in 1 run/,
    /Not an optimised build: Debug/,
    /Noted by 1 run/,
    /p99 lies above the timeout in 1 run/,
  ]) {
    assert.match(titles(result), expected);
  }
  assert.equal(result.done.flags[0].level, 'stop');
  assert.match(result.html, /class="verdict fail"/);
  assert.match(result.html, /limited: lateness/, 'in the table of runs, too');
  const limited = result.done.flags.find((flag) => /generator limited/.test(flag.title));
  assert.match(limited.text, /raft-3-r10000-2 \(lateness\)/);
  assert.match(result.html, /&gt; 5 s/);
  assert.match(result.html, /durability async · reads linearizable/, 'panels of their own');
});

test('several folders make one report; two spellings of one folder count once', () => {
  const dir = join(root, 'second');
  writeSweep(dir, twoRuns());
  const out = join(root, 'both');
  const result = render(dir, full.dir, `${dir}/.`, '--out', out, '--json');
  assert.equal(result.status, 0, result.stderr);
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  assert.match(html, /2 sweeps/);
  const rows = /<table id="runs">.*?<\/table>/s.exec(html)[0].match(/<tr>/g).length - 1;
  assert.equal(rows, Object.keys(full.written).length + 2);
});

test('a fault that nobody recovered from says never', () => {
  const runs = planRuns({nodes: {}, rates: [], repetitions: 1, kills: {raft: [3]}});
  const result = report('never', runs, (dir) => {
    writeFileSync(
      join(dir, 'raft-3-kill-1', 'faults.csv'),
      'fault,node,injected_ms,noticed_ms,first_success_ms,back_to_95_ms\nkill-leader,1,5030,160,,\n',
    );
  });
  assert.equal(result.status, 0, result.stderr);
  assert.match(
    result.html,
    /<td class="n">160 ms<\/td><td class="n">never<\/td><td class="n">never<\/td>/,
  );
  assert.match(result.html, /160 · never · never ms/);
});

test('text of result files cannot become markup or script', () => {
  const runs = twoRuns();
  for (const run of runs) {
    run.algorithm = '</script><script>alert(1)</script>';
    run.manifest = {notes: ['<img src=x onerror=alert(2)>']};
  }
  const result = report('hostile', runs);
  assert.equal(result.status, 0, result.stderr);
  assert.doesNotMatch(result.html, /<script>alert/);
  assert.doesNotMatch(result.html, /<img src=x/);
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

/** The page's DOM after its scripts ran, without them; `options` as browse() takes them. */
function domOf(file, options) {
  return browse(file, {...options, flags: ['--dump-dom']}).replace(/<script[\s\S]*?<\/script>/g, '');
}

for (const [width, theme, color] of [
  [1400, 'light', '#0072b2'],
  [500, 'dark', '#56b4e9'],
]) {
  test(
    `a browser draws every plot at ${width} pixels, ${theme}`,
    {skip: !CHROMIUM && 'no chromium'},
    () => {
      const dom = domOf(full.done.report, {width, theme});
      assert.match(dom, new RegExp(`<html[^>]*data-theme="${theme}"[^>]*data-ready="true"`));
      assert.equal((dom.match(/<svg[^>]*class="marks"/g) ?? []).length, FIGURES.length);
      assert.ok(dom.includes(`stroke="${color}"`), 'in the colours of the theme');
      for (const [, wide] of dom.matchAll(/<svg[^>]*class="marks"[^>]*width="(\d+)"/g)) {
        assert.ok(Number(wide) <= width, `${wide} of ${width}`);
      }
    },
  );
}

/** What a plot of the page's DOM says, as its texts. */
function textsIn(dom, name) {
  const plot = new RegExp(`id="plot-${name}".*?</figure>`, 's').exec(dom)[0];
  return [...plot.matchAll(/<text[^>]*>([^<]+)</g)].map(([, text]) => text);
}

test('an address shows what it chooses, in all plots, on a phone', {skip: !CHROMIUM && 'no chromium'}, () => {
  const hash = '#strategy=raft&nodes=3&at=cost-per-operation';
  const dom = domOf(full.done.report, {width: 500, theme: 'light', hash});
  assert.match(dom, /data-ready="true"/);
  assert.deepEqual(
    textsIn(dom, 'latency-throughput').filter((text) => text.includes(' · ')),
    ['raft · 3 nodes'],
  );
  const bars = textsIn(dom, 'cost-per-operation').filter((text) => text.includes('@'));
  assert.ok(bars.length > 0 && bars.every((text) => text.startsWith('raft 3 @')), bars.join());
  const panels = textsIn(dom, 'both-sides').filter((text) => text.includes('nodes,'));
  assert.deepEqual(panels, ['raft · 3 nodes, partition-leader']);
  assert.match(dom, /role="status">1 of 4 series</);
});

/** Begins a script of browse(): until(condition), plotOf(name), and all is drawn. */
const UNTIL = `
  const until = (what) => new Promise((done) => {
    const timer = setInterval(() => what() && (clearInterval(timer), done()), 20);
  });
  const root = document.documentElement;
  const plotOf = (name) => document.getElementById('plot-' + name);
  await until(() => root.dataset.ready);`;

test('a choice changes the plots and the address, and a link keeps it', {skip: !CHROMIUM && 'no chromium'}, () => {
  const then = `${UNTIL}
    document.querySelector('#filter input[value="raft"]').focus();
    document.activeElement.click();
    await until(() => location.hash !== '');
    root.dataset.chosen = location.hash;
    document.querySelector('nav a[href="#recovery"]').click();
    await until(() => location.hash.includes('at='));
    root.dataset.moved = location.hash;
    await until(() => !document.getElementById('plot-latency-throughput').textContent.includes('raft'));
    root.dataset.filtered = 'yes';`;
  const dom = domOf(full.done.report, {width: 1200, theme: 'dark', then});
  assert.match(dom, /data-chosen="#strategy=unreplicated&amp;strategy=gossip_lww"/);
  assert.match(dom, /data-moved="#strategy=unreplicated&amp;strategy=gossip_lww&amp;at=recovery"/);
  assert.match(dom, /data-filtered="yes"/);
  assert.ok(!textsIn(dom, 'latency-distribution').some((text) => text.startsWith('raft')));
  assert.ok(textsIn(dom, 'latency-distribution').includes('gossip_lww · 3 nodes'));
});

test('a link to a place draws nothing again', {skip: !CHROMIUM && 'no chromium'}, () => {
  const then = `${UNTIL}
    let drawn = 0;
    const embed = window.vegaEmbed;
    window.vegaEmbed = (...args) => (drawn += 1, embed(...args));
    root.style.scrollBehavior = 'auto'; // no frames pass here that a smooth one needs
    document.querySelector('nav a[href="#recovery"]').click();
    await until(() => location.hash === '#recovery');
    await new Promise((done) => setTimeout(done, 500));
    root.dataset.drawn = drawn;
    root.dataset.scrolled = Math.abs(document.getElementById('recovery').getBoundingClientRect().top) < 200;
    document.querySelector('#filter input[value="raft"]').click();
    await until(() => drawn > 0);
    root.dataset.hash = location.hash;`;
  const dom = domOf(full.done.report, {width: 1200, theme: 'light', then});
  assert.match(dom, /data-drawn="0"/);
  assert.match(dom, /data-scrolled="true"/);
  assert.match(dom, /data-hash="#strategy=unreplicated&amp;strategy=gossip_lww&amp;at=recovery"/, 'kept');
});

test('a plot that fails says so, and the others and the next drawing go on', {skip: !CHROMIUM && 'no chromium'}, () => {
  const then = `${UNTIL}
    const embed = window.vegaEmbed;
    let [failing, drawn, finalized] = [true, 0, 0];
    window.vegaEmbed = async (place, ...args) => {
      if (failing && place.id === 'plot-recovery') throw new Error('no <b>memory</b>');
      const result = await embed(place, ...args);
      drawn += 1;
      return {...result, finalize: () => (finalized += 1, result.finalize())};
    };
    const theme = document.getElementById('theme');
    theme.click();
    await until(() => drawn === ${FIGURES.length - 1});
    root.dataset.failed = plotOf('recovery').textContent;
    failing = false;
    theme.click();
    await until(() => drawn === ${2 * FIGURES.length - 1});
    root.dataset.finalized = finalized;
    root.dataset.again = plotOf('recovery').querySelector('svg.marks') !== null;`;
  const dom = domOf(full.done.report, {width: 1200, theme: 'light', then});
  assert.match(dom, /data-failed="This plot could not be drawn: no (<|&lt;)b(>|&gt;)memory/);
  assert.match(dom, /data-again="true"/);
  assert.match(dom, new RegExp(`data-finalized="${FIGURES.length - 1}"`), 'each earlier plot once');
});

test('a page with one strategy at one size has nothing to choose', () => {
  assert.match(full.html, /<form id="filter"/);
  assert.doesNotMatch(report('alone', twoRuns()).html, /<form id="filter"/);
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
