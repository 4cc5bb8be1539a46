import assert from 'node:assert/strict';
import {test} from 'node:test';
import {buildModel} from './model.mjs';
import {modelsTable} from './tables.mjs';
import {isPredicted, predicted} from './figures/predicted.mjs';
import {
  busiest,
  leftOut,
  md1Wait,
  meanLatency,
  meanWait,
  mm1Wait,
  queueModels,
  simulatedLatencies,
} from './queueing.mjs';

const near = (value, expected, share = 1e-9) =>
  assert.ok(Math.abs(value - expected) <= share * Math.abs(expected), `${value}, not ${expected}`);

test('the waits are those of the closed forms', () => {
  for (const load of [0.1, 0.5, 0.9, 0.99]) {
    const service = 0.002;
    const rate = load / service;
    near(mm1Wait(rate, service), (load * service) / (1 - load));
    near(mm1Wait(rate, service), 1 / (1 / service - rate) - service);
    near(md1Wait(rate, service), (load * service) / (2 * (1 - load)));
    near(meanWait(rate, service, (4 / 3) * service ** 2), ((2 / 3) * load * service) / (1 - load));
  }
  assert.equal(md1Wait(0, 1), 0);
  assert.equal(md1Wait(500, 0.002), Infinity, 'at saturation');
  assert.equal(mm1Wait(600, 0.002), Infinity);
});

/** The mean wait of so many arrivals at random, by the recursion of Lindley. */
function simulatedWait(load, serve) {
  let state = 12345;
  const unit = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const exponential = (mean) => -mean * Math.log(unit());
  let wait = 0;
  let sum = 0;
  const count = 400000;
  for (let i = 0; i < count; i += 1) {
    sum += wait;
    wait = Math.max(0, wait + serve(exponential) - exponential(1 / load));
  }
  return sum / count;
}

test('the waits are those of queues that are played through', () => {
  near(simulatedWait(0.6, () => 1), md1Wait(0.6, 1), 0.03);
  near(simulatedWait(0.6, (exponential) => exponential(1)), mm1Wait(0.6, 1), 0.05);
});

const BASE = 300e-6;

/**
 * A run of a cluster that is an M/D/1 queue at node 1: each message takes `cost` of its processor, an
 * operation so many messages there, and 300 µs go over the network.
 */
function run(name, {nodes = 3, rate, messages = 2 * nodes, cost = 5e-6, slower = 1, ...more}) {
  const own = (node, handled) => ({
    node,
    cpu_s_per_mops: handled * cost * 1e6,
    messages_per_op: handled,
  });
  const us = (BASE + md1Wait(rate, messages * cost)) * 1e6 * slower;
  return {
    id: `s/${name}`,
    sweep: 's',
    name,
    absent: [],
    timeline: null,
    faults: null,
    histogram: [{latency_us_low: us * 0.99, latency_us_high: us * 1.01, count: 1000}],
    manifest: {algorithm: 'raft', nodes, rate, loop: 'open', host: {cores: 64}, ...more.manifest},
    summary: {
      achieved_ops_per_s: rate,
      offered_ops_per_s: rate,
      completed: 1000,
      cpu_clients: 1,
      latency_us: {p50: {us, above: false}},
      consistency: {verdict: 'not_checked'},
      by_node: [own(2, 2), own(1, messages), ...(nodes > 2 ? [own(3, 2)] : [])],
      ...more.summary,
    },
  };
}

const modelOf = (runs) => buildModel({sweeps: [], missing: [], scaling: [], runs});

test('the busiest node is the one with the most messages', () => {
  assert.equal(busiest(run('a', {rate: 10})).node, 1);
  assert.equal(busiest({summary: {}}), null);
});

test('the mean latency is that of the histogram, unless too many did not end', () => {
  near(meanLatency(run('a', {rate: 1, cost: 0})), BASE);
  assert.equal(meanLatency(run('a', {rate: 1, summary: {unknown: 11}})), null);
  assert.equal(meanLatency({summary: {}, histogram: null}), null);
});

test('a cluster that is such a queue is predicted without an error', () => {
  const rates = [1000, 10000, 30000];
  const [found] = queueModels(modelOf(rates.map((rate) => run(`r${rate}`, {rate}))));
  near(found.service, 30e-6);
  near(found.capacity, 1 / 30e-6);
  near(found.base, BASE);
  assert.equal(found.bottleneck, 'node');
  assert.deepEqual(
    found.points.map((point) => point.calibrated),
    [true, false, false],
  );
  for (const point of found.points.slice(1)) assert.ok(Math.abs(point.error) < 1e-9, point.error);
  assert.equal(found.saturation, null);
});

test('what a message costs is measured at the fewest nodes and foretells the others', () => {
  const runs = [3, 5].flatMap((nodes) => [
    run(`${nodes}-1`, {nodes, rate: 1000}),
    run(`${nodes}-2`, {nodes, rate: 15000, cost: nodes === 3 ? 5e-6 : 6e-6}),
  ]);
  const [three, five] = queueModels(modelOf(runs));
  assert.equal(five.from, three.series);
  near(five.cost, 5e-6);
  near(five.service, 10 * 5e-6);
  assert.ok(five.points[1].error < -0.1, 'its messages cost more than those of three nodes');
});

test('where all share few processors these are the queue', () => {
  const host = {cores: 1};
  const [found] = queueModels(
    modelOf([1000, 20000].map((rate) => run(`r${rate}`, {rate, manifest: {host}}))),
  );
  assert.equal(found.bottleneck, 'host');
  near(found.service, 10 * 5e-6 + 1e-6, 1e-6);
});

test('the capacity stands beside the saturation of the same conditions', () => {
  const closed = {loop: 'closed', window: 1024, rate: null};
  const runs = [
    run('a', {rate: 1000}),
    run('b', {rate: 20000}),
    run('c', {rate: 40000, manifest: closed}),
    run('d', {rate: 50000, manifest: {...closed, durability: 'async'}}),
    run('e', {rate: 900, summary: {offered_ops_per_s: 1000}}),
  ];
  const [found] = queueModels(modelOf(runs));
  assert.equal(found.saturation, 40000, 'neither of other conditions, nor of a disturbed run');
  near(found.capacityError, 1 / 30e-6 / 40000 - 1);
});

test('errors above a quarter say what the model leaves out', () => {
  const runs = [run('a', {rate: 1000}), run('b', {rate: 20000, slower: 2})];
  const html = modelsTable(modelOf(runs.map((r) => ({...r, color: 'raft'}))));
  assert.match(html, /<td class="n">−50 %<\/td><td>leaves out waking threads, a batch that grows/);
  assert.match(html, /taken from here/);
  assert.ok(!modelsTable(modelOf([run('a', {rate: 1000}), run('b', {rate: 20000})])).includes('leaves out'));
  const synced = run('c', {rate: 1, manifest: {durability: 'group_commit'}});
  assert.ok(leftOut(synced, 'node').includes('waiting for the disk'));
});

test('the simulator stands beside what was measured over the same links', () => {
  const over = (p50) =>
    run('a', {rate: 200, manifest: {links: 'metro'}, summary: {simulated_us: {p50, p99: 9000}}});
  const of = (p50) => simulatedLatencies(modelOf([over(p50)]))[0];
  near(of(2000).predicted, 0.002);
  assert.ok(of(2000).error > 5);
  assert.ok(Math.abs(of(over(1).summary.latency_us.p50.us).error) < 1e-9);
  assert.ok(isPredicted(modelOf([over(2000)])));
  const figure = predicted(modelOf([over(2000)]));
  assert.deepEqual(figure.panels.map((panel) => panel.title), ['metro: median latency (ms, log)']);
  assert.ok(!isPredicted(modelOf([run('b', {rate: 200})])), 'one rate, and links as they are');
});

test('the figure has the curve up to the capacity and every run', () => {
  const figure = predicted(modelOf([1000, 10000].map((rate) => run(`r${rate}`, {rate}))));
  const layers = figure.panels[0].rows[0].spec.layer.map((l) => l.data.values);
  const [capacity, md1, mm1, bars] = layers;
  const points = layers.at(-1);
  assert.deepEqual(bars, [], 'one run has no interval');
  near(capacity[0].rate, 1 / 30e-6);
  assert.ok(md1.at(-1).rate < capacity[0].rate);
  assert.ok(mm1.at(-1).mm1_ms > md1.at(-1).md1_ms);
  assert.equal(points.length, 2);
  assert.match(figure.panels[0].subtitle, /^off by \+?−?0 %; capacity 33\.3 k\/s$/);
});
