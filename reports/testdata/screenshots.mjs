#!/usr/bin/env node
// Makes the screenshots of docs/report.md, of the reference report unless told otherwise:
// node reports/testdata/screenshots.mjs [PAGE [DIR]]

import {mkdirSync, statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {CHROMIUM, browse} from './browser.mjs';

const here = (leaf) => fileURLToPath(new URL(leaf, import.meta.url));
/** So small a documentation's picture has to be. */
export const MOST_BYTES = 300 * 1000;
const WIDE = {width: 1400, height: 1000};
const PHONE = {width: 390, height: 844};

/** What is shown: the page's top or, with `from`, its plots from that one on. */
export const SHOTS = [
  {name: 'report-light', ...WIDE, theme: 'light'},
  {name: 'report-dark', ...WIDE, theme: 'dark', hash: '#strategy=raft&strategy=gossip_lww', from: 'recovery'},
  {name: 'report-phone-light', ...PHONE, theme: 'light', hash: '#nodes=3', from: 'fault-timeline'},
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

/** Writes all screenshots of a report's page as <name>.png to `out`; returns the files. */
export function takeScreenshots(page, out) {
  if (!CHROMIUM) throw new Error('screenshots need chromium (apt install chromium)');
  mkdirSync(out, {recursive: true});
  return SHOTS.map(({name, from, ...options}) => {
    const file = join(out, `${name}.png`);
    browse(page, {...options, then: from ? cutTo(from) : '', flags: [`--screenshot=${file}`]});
    const {size} = statSync(file);
    if (size > MOST_BYTES) throw new Error(`${file}: ${size} bytes; at most ${MOST_BYTES}`);
    return file;
  });
}

if (process.argv[1] === here('screenshots.mjs')) {
  const [page = here('../reference/report.html'), out = here('../../docs')] = process.argv.slice(2);
  for (const file of takeScreenshots(resolve(page), resolve(out))) process.stdout.write(`${file}\n`);
}
