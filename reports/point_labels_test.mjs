// Names beside points keep their distance, in the figure's numbers and in what is drawn.

import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {drawSvg} from './draw.mjs';
import {latencyThroughput} from './figures/latency_throughput.mjs';
import {apart} from './figures/point_labels.mjs';
import {textWidth} from './layout.mjs';
import {buildModel} from './model.mjs';
import {readResults} from './read.mjs';
import {planRuns, writeSweep} from './testdata/fixture.mjs';

const root = mkdtempSync(join(tmpdir(), 'parley-labels-'));
after(() => rmSync(root, {recursive: true, force: true}));

const SIZES = [3, 5, 7, 9, 11];

/** The figure of a run of each series: {series: [operations/s, latency in ms]}. */
function figureOf(name, points) {
  const plan = planRuns({
    nodes: {unreplicated: [1], raft: SIZES, bully_2pc: SIZES, gossip_lww: SIZES},
    rates: [500],
    repetitions: 1,
    kills: {},
  });
  const runs = plan.flatMap((run) => {
    const [achieved, ms] = points[`${run.algorithm} ${run.nodes}`] ?? [];
    if (achieved === undefined) return [];
    const latency = {p50: ms * 1000, p99: ms * 1000};
    return [{...run, summary: {achieved_ops_per_s: achieved, latency_us: latency}}];
  });
  writeSweep(join(root, name), runs);
  return latencyThroughput(buildModel(readResults([join(root, name)])));
}

/** The names in the drawn panel, as boxes in pixels. */
async function boxesIn(figure, options) {
  const one = {...figure, panels: figure.panels.filter(({title}) => title.startsWith('p99'))};
  const svg = await drawSvg(one, {theme: 'light', titled: false, ...options});
  const texts = /<text text-anchor="(start|end)" transform="translate\(([\d.-]+),([\d.-]+)\)"[^>]* font-size="10.5px"[^>]*>([^<]+)</g;
  return [...svg.matchAll(texts)].map(([, anchor, x, y, name]) => {
    const from = Number(x) - (anchor === 'end' ? textWidth(name, 10.5) : 0);
    return {name, from, to: from + textWidth(name, 10.5), y: Number(y)};
  });
}

function expectDistance(boxes, text) {
  boxes.forEach((a, at) =>
    boxes.slice(at + 1).forEach((b) => {
      const beside = a.to <= b.from || b.to <= a.from;
      assert.ok(beside || Math.abs(a.y - b.y) >= 12, `${text}: ${a.name} and ${b.name} overlap`);
    }),
  );
}

const DRAWN = [{width: 1100}, {width: 420}, {width: 321, print: true}, {width: 672, print: true}];

test('names keep their distance where points lie close, at every width and in print', async () => {
  const close = {
    'unreplicated 1': [500, 1.2],
    'raft 3': [499.8, 7.9],
    'raft 5': [499.2, 8.4],
    'bully_2pc 3': [499.9, 8.1],
    'bully_2pc 5': [499, 8.3],
    'gossip_lww 3': [320, 8.2],
    'gossip_lww 5': [200, 8.2],
  };
  const figure = figureOf('close', close);
  for (const size of DRAWN) {
    const boxes = await boxesIn(figure, size);
    assert.equal(boxes.length, 7, 'each has its name');
    expectDistance(boxes, JSON.stringify(size));
    const order = boxes.filter(({name}) => /raft|bully/.test(name)).sort((a, b) => b.y - a.y);
    assert.deepEqual(
      order.map(({name}) => name.replace(' · ', ' ').replace(' nodes', '')),
      ['raft 3', 'bully_2pc 3', 'bully_2pc 5', 'raft 5'],
      'in the order of their points',
    );
  }
});

test('a name that has room stands at the height of its point, without a leader', () => {
  const figure = figureOf('far', {'raft 3': [500, 1], 'raft 5': [499, 10], 'gossip_lww 3': [100, 3]});
  const {layer} = figure.panels[1].rows[0].spec;
  const names = layer.filter(({mark}) => mark.type === 'text').flatMap(({data}) => data.values);
  assert.equal(names.length, 3);
  for (const name of names) {
    assert.ok(Math.abs(Math.log(name.latency_ms_of_name / name.latency_ms)) < 1e-9, name.series);
  }
  assert.ok(layer.every(({mark, data}) => mark.x2Offset === undefined || data.values.length === 0));
});

test('a name that had to move is led to from its point', () => {
  const figure = figureOf('led', {'raft 3': [500, 8], 'bully_2pc 3': [500, 8], 'unreplicated 1': [500, 1]});
  const leaders = figure.panels[1].rows[0].spec.layer.filter(({mark}) => mark.x2Offset !== undefined);
  const led = leaders.flatMap(({data}) => data.values.map(({series}) => series));
  assert.deepEqual(led.sort(), ['bully_2pc · 3 nodes', 'raft · 3 nodes']);
});

test('where there is no room for all names, the legend alone names them', async () => {
  const names = ['raft', 'bully_2pc', 'gossip_lww'].flatMap((name) => SIZES.map((nodes) => `${name} ${nodes}`));
  names.push('unreplicated 1');
  const crowd = (count, latency) => {
    const points = names.slice(0, count).map((name, at) => [name, [500 + at, latency(at)]]);
    return figureOf(`crowd-${count}`, Object.fromEntries(points));
  };
  const pairs = (at) => 2 ** Math.floor(at / 2) + at / 1000;
  const boxes = await boxesIn(crowd(15, pairs), DRAWN[2]);
  assert.equal(boxes.length, 15, 'there is room for fifteen');
  expectDistance(boxes, 'fifteen');
  assert.deepEqual(await boxesIn(crowd(16, pairs), DRAWN[2]), [], 'one too many');
  const heap = (at) => 8 + at / 1000;
  assert.equal((await boxesIn(crowd(8, heap), DRAWN[2])).length, 8);
  const figure = crowd(10, heap);
  assert.deepEqual(await boxesIn(figure, DRAWN[2]), [], 'too far from their points');
  assert.equal(figure.legend.length, 10);
});

test('places keep their distance and stay as near as they can', () => {
  const near = (found, wanted) => {
    assert.equal(found.length, wanted.length);
    found.forEach((place, at) => assert.ok(Math.abs(place - wanted[at]) < 1e-12, `${found}`));
  };
  near(apart([0.2, 0.5, 0.9], 0.1, 0, 1), [0.2, 0.5, 0.9]);
  near(apart([0.5, 0.5, 0.5], 0.1, 0, 1), [0.4, 0.5, 0.6]);
  near(apart([0.5, 0.52, 0.9], 0.1, 0, 1), [0.46, 0.56, 0.9]);
  near(apart([0.98, 1], 0.1, 0.05, 0.95), [0.85, 0.95]);
  near(apart([0, 0, 0.1], 0.1, 0.05, 0.95), [0.05, 0.15, 0.25]);
  near(apart([], 0.1, 0, 1), []);
});
