// What the tests of whole reports share: sweeps are written, rendered as users do it, and looked at.

import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after} from 'node:test';
import {unpack} from '../pack.mjs';
import {planRuns, writeSweep} from './fixture.mjs';

const RENDER = fileURLToPath(new URL('../render.mjs', import.meta.url));

/** The figures of a report of `fullRuns`, in their order. */
export const FIGURES = [
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

/** Where the test at hand may write; gone after its file's last test. */
export const root = mkdtempSync(join(tmpdir(), 'parley-reports-'));
after(() => rmSync(root, {recursive: true, force: true}));

const start = (args, env) =>
  spawnSync(process.execPath, [RENDER, ...args], {encoding: 'utf8', env});

/** The program with these arguments, in the environment of the tests. */
export const render = (...args) => start(args, process.env);

/**
 * Writes a sweep of these runs, renders it (without rsvg-convert unless `options` are given: it is
 * slow), and returns what came of it.
 */
export function report(name, runs, prepare = () => {}, options = null) {
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

export const twoRuns = () => planRuns({nodes: {raft: [3]}, rates: [10000], repetitions: 2, kills: {}});

/** Runs of which every figure can be drawn. */
export const fullRuns = () =>
  planRuns({
    nodes: {unreplicated: [1], raft: [3, 5], gossip_lww: [3]},
    kills: {raft: [3]},
    splits: {raft: [3], gossip_lww: [3]},
  });

/** Changes what a file of JSON holds. */
export function edit(file, change) {
  const value = JSON.parse(readFileSync(file, 'utf8'));
  change(value);
  writeFileSync(file, JSON.stringify(value));
}

export const titles = (result) => result.done.flags.map((flag) => flag.title).join('\n');

/** The rows of a CSV file without quotes, by their columns' names. */
export function rowsOf(file) {
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const columns = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [columns[at], cell])));
}

/** The table of that name of a page. */
export const tableIn = (html, id) => new RegExp(`<table id="${id}">.*?</table>`, 's').exec(html)[0];

/** The files of a figure. */
export const plotOf = (result, name) => result.done.plots.find((plot) => plot.name === name);

/** The figure of that name as the page has it. */
export const figureOf = (result, name) =>
  unpack(JSON.parse(/id="figures">(.*?)<\/script>/s.exec(result.html)[1])).find((figure) => figure.name === name);

export const panelsIn = (result, name) => figureOf(result, name).panels;
