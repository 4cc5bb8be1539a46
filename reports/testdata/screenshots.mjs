#!/usr/bin/env node
// Makes the screenshots of docs/report.md, from a synthetic sweep: node reports/testdata/screenshots.mjs [DIR]

import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {CHROMIUM, browse} from './browser.mjs';
import {planRuns, writeSweep} from './fixture.mjs';

const here = (leaf) => fileURLToPath(new URL(leaf, import.meta.url));
/** So small a documentation's picture has to be. */
export const MOST_BYTES = 300 * 1000;
const WIDE = {width: 1400, height: 1000};
const PHONE = {width: 390, height: 844};

/** What is shown: the page's top or, with `from`, its plots from that one on. */
export const SHOTS = [
  {name: 'report-light', ...WIDE, theme: 'light'},
  {name: 'report-dark', ...WIDE, theme: 'dark', hash: '#strategy=raft&strategy=gossip_lww', from: 'recovery'},
  {name: 'report-phone-light', ...PHONE, theme: 'light', hash: '#strategy=unreplicated&strategy=raft', from: 'latency-throughput'},
  {name: 'report-phone-dark', ...PHONE, theme: 'dark'},
];

// A page that is scrolled comes out blank, so what stands above is taken away instead.
const cutTo = (id) => `
  const ready = setInterval(() => {
    if (!document.documentElement.dataset.ready) return;
    clearInterval(ready);
    for (const above of document.querySelectorAll('header, #flags, #findings')) above.remove();
    const figures = [...document.querySelectorAll('figure')];
    for (const figure of figures.slice(0, figures.findIndex(({id}) => id === '${id}'))) figure.remove();
  }, 50);`;

/** Writes the report of the synthetic sweep to `dir`; returns the page's file. */
function renderSynthetic(dir) {
  const sweep = join(dir, 'synthetic');
  writeSweep(
    sweep,
    planRuns({
      nodes: {unreplicated: [1], raft: [3, 5], bully_2pc: [3, 5], gossip_lww: [3, 5]},
      kills: {raft: [3, 5], bully_2pc: [3, 5]},
      splits: {raft: [3], gossip_lww: [3]},
    }),
  );
  const out = join(dir, 'out');
  const env = {...process.env, PATH: ''}; // no PDF files: they take long, and nobody reads them
  const result = spawnSync(process.execPath, [here('../render.mjs'), sweep, '--out', out], {encoding: 'utf8', env});
  if (result.status !== 0) throw new Error(result.stderr);
  return join(out, 'report.html');
}

/** Writes all screenshots as <name>.png to `out`; returns the files. */
export function takeScreenshots(out) {
  if (!CHROMIUM) throw new Error('screenshots need chromium (apt install chromium)');
  const dir = mkdtempSync(join(tmpdir(), 'parley-screenshots-'));
  try {
    const page = renderSynthetic(dir);
    mkdirSync(out, {recursive: true});
    return SHOTS.map(({name, from, ...options}) => {
      const file = join(out, `${name}.png`);
      browse(page, {...options, then: from ? cutTo(from) : '', flags: [`--screenshot=${file}`]});
      const {size} = statSync(file);
      if (size > MOST_BYTES) throw new Error(`${file}: ${size} bytes; at most ${MOST_BYTES}`);
      return file;
    });
  } finally {
    rmSync(dir, {recursive: true, force: true, maxRetries: 5});
  }
}

if (process.argv[1] === here('screenshots.mjs')) {
  for (const file of takeScreenshots(resolve(process.argv[2] ?? here('../../docs')))) {
    process.stdout.write(`${file}\n`);
  }
}
