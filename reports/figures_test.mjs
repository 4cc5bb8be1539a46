// Percentiles above the timeout: the slowest repetitions count, although no plot has room for them.

import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {drawSvg} from './draw.mjs';
import {ablation} from './figures/ablation.mjs';
import {contention} from './figures/contention.mjs';
import {heatMap} from './figures/heat_map.mjs';
import {locality} from './figures/locality.mjs';
import {options} from './figures/options.mjs';
import {choosePanels} from './figures/time_axis.mjs';
import {csv} from './format.mjs';
import {buildModel} from './model.mjs';
import {readResults} from './read.mjs';
import {planRuns, writeSweep} from './testdata/fixture.mjs';

const root = mkdtempSync(join(tmpdir(), 'parley-figures-'));
after(() => rmSync(root, {recursive: true, force: true}));

const ABOVE = '>5000000';

/**
 * The model of three repetitions under each of these manifests. Of the first manifest only the first
 * repetition's p99 is below the timeout; of the others only the last one's is above; p50 goes with it
 * where `both`.
 */
function modelOf(name, manifests, both = false) {
  const plan = planRuns({nodes: {raft: [3, 5]}, rates: [10000], repetitions: 3, kills: {}});
  const runs = manifests.flatMap((manifest, at) =>
    plan.map((run) => {
      const above = at === 0 ? run.repetition > 1 : run.repetition > 2;
      const p99 = above ? ABOVE : 20000 + run.repetition;
      const latency = {p50: both ? p99 : 500, p99};
      const regions = [{name: 'paris', latency_us: latency}];
      return {...run, name: `${run.name}-${at}`, manifest, summary: {latency_us: latency, regions}};
    }),
  );
  writeSweep(join(root, name), runs);
  return buildModel(readResults([join(root, name)]));
}

const finite = (rows, field) => rows.every((row) => Number.isFinite(row[field]));
const intervalIn = (row, field) => [row[`${field}_low`], row[field], row[`${field}_high`]];
const valuesIn = (panel) => panel.rows[0].spec.layer.map((layer) => layer.data.values);

for (const [figure, name, manifests] of [
  [contention, 'contention', [{workload: 'uniform'}, {workload: 'zipf'}]],
  [ablation, 'ablation', [{batch: 1}, {batch: 8}]],
]) {
  test(`${name} counts what lies above the timeout as endless, and does not draw it`, async () => {
    const drawn = figure(modelOf(name, manifests));
    const [slow, other] = drawn.medians.filter((row) => row.nodes === 3);
    assert.deepEqual(intervalIn(slow, 'p99_ms'), [20.001, Infinity, Infinity]);
    assert.deepEqual(intervalIn(other, 'p99_ms'), [20.001, 20.002, Infinity]);
    assert.equal(slow.p99_ms_interval, 'range of 3');
    assert.match(csv(drawn.medians), /,0\.5,inf,.*,20\.001,inf,3,range of 3/);
    for (const panel of drawn.panels.filter(({title}) => title.includes('p99'))) {
      assert.ok(valuesIn(panel).every((rows) => finite(rows, 'p99_ms')), panel.title);
      assert.ok(valuesIn(panel).at(-1).length > 0, 'those below it are drawn');
    }
    assert.match(drawn.caption, /Not drawn: percentiles above the timeout, of 6 runs\./);
    assert.doesNotMatch(await drawSvg(drawn, {width: 900, theme: 'light', titled: true}), /NaN|Infinity/);
  });
}

test('the map says where latency lies above the timeout', async () => {
  const drawn = heatMap(modelOf('heat-map', [{read_share: 0}, {read_share: 0.9}]));
  const [tiles] = valuesIn(drawn.panels.find(({title}) => title.includes('p99')));
  assert.deepEqual(
    tiles.filter((tile) => tile.nodes === 3).map(({text, spread, full, heat}) => [text, spread, full, heat]),
    [
      ['∞', '20–∞', 'above the timeout (20.001 – above the timeout)', 1],
      ['20', '20–∞', '20.002 (20.001 – above the timeout)', 0],
    ],
  );
  assert.match(drawn.caption, /∞: above the timeout\./);
  const svg = await drawSvg(drawn, {width: 900, theme: 'light', titled: true});
  assert.match(svg, />20–∞</);
  assert.doesNotMatch(svg, /NaN|Infinity/);
});

test('the plot of options counts what lies above the timeout as endless', () => {
  const drawn = options(modelOf('options', [1, 2].map((pipeline) => ({options: {pipeline}})), true));
  const medians = drawn.medians.filter((row) => row.measure === 'p50_ms' && row.strategy === 'raft · 3 nodes');
  assert.deepEqual(
    medians.map((row) => intervalIn(row, 'value')),
    [
      [20.001, Infinity, Infinity],
      [20.001, 20.002, Infinity],
    ],
  );
  const panel = drawn.panels.find(({title}) => title === 'raft · 3 nodes: median latency, ms');
  assert.ok(valuesIn(panel).every((rows) => finite(rows, 'value')));
  assert.match(drawn.caption, /Not drawn: percentiles above the timeout, of 6 runs\./);
});

test('medians of regions are endless where most repetitions lie above the timeout', () => {
  const drawn = locality(modelOf('locality', [{links: 'nine-regions'}, {links: 'metro'}]));
  const medians = drawn.medians.filter((row) => row.percentile === 'p99' && row.nodes === 3);
  assert.deepEqual(
    medians.map((row) => intervalIn(row, 'ms')).sort((a, b) => b[1] - a[1]),
    [
      [20.001, Infinity, Infinity],
      [20.001, 20.002, Infinity],
    ],
  );
  assert.ok(drawn.panels.every((panel) => valuesIn(panel).every((rows) => finite(rows, 'ms'))));
  assert.equal(Math.max(...drawn.data.map((row) => row.ms)), 5000, 'points stand at the timeout');
});

test('where there are too many panels, all strategies of a node count are drawn or none', () => {
  const group = (fault, nodes, series) => {
    const run = {nodes, series: `${series} · ${nodes} nodes`, settingId: '', load: {label: '500'}};
    return {members: [{fault, run}]};
  };
  const each = (nodes) => ['a', 'b', 'c'].flatMap((s) => ['cut', 'kill'].map((fault) => group(fault, nodes, s)));
  const groups = [3, 5, 7, 9].flatMap(each);
  const {drawn, left} = choosePanels(groups, 12);
  assert.deepEqual(
    drawn.map(({members: [{fault, run}]}) => `${fault} ${run.series}`),
    ['cut', 'kill'].flatMap((fault) => [3, 5].flatMap((n) => ['a', 'b', 'c'].map((s) => `${fault} ${s} · ${n} nodes`))),
  );
  assert.equal(left.length, 12);
  assert.equal(choosePanels(groups, 5).drawn.length, 5, 'those of one node count that fit');
  assert.equal(choosePanels(groups, 24).drawn, groups, 'as they are where there is room');
});
