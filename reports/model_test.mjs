import assert from 'node:assert/strict';
import {test} from 'node:test';
import {buildFlags} from './flags.mjs';
import {conditions} from './conditions.mjs';
import {binWidth, bySetting, buildModel, commonLoad} from './model.mjs';
import {meetingChance} from './figures/contention.mjs';
import {quantiles} from './figures/distribution.mjs';
import {layout} from './layout.mjs';
import {driftOf, spreadOf, trendChance} from './noise.mjs';
import {toToml} from './toml.mjs';

function run(name, manifest, summary = {}) {
  return {
    id: `s/${name}`,
    sweep: 's',
    name,
    absent: [],
    timeline: null,
    faults: null,
    histogram: null,
    manifest: {algorithm: 'raft', nodes: 3, rate: 1000, durability: 'none', ...manifest},
    summary: {
      achieved_ops_per_s: 1000,
      offered_ops_per_s: 1000,
      completed: 10,
      latency_us: {},
      consistency: {verdict: 'pass'},
      ...summary,
    },
  };
}

const modelOf = (runs) => buildModel({sweeps: [], missing: [], runs});

test('runs of different durability are of different settings, named by what differs', () => {
  const model = modelOf([run('a', {}), run('b', {}), run('c', {durability: 'async'})]);
  const settings = bySetting(model.runs);
  assert.deepEqual(
    settings.map((s) => [s.title, s.runs.length]),
    [
      ['durability none', 2],
      ['durability async', 1],
    ],
  );
});

test('runs that ask or wait for other numbers of nodes are not drawn together', () => {
  const gossip = (name, options) => run(name, {algorithm: 'gossip_lww', options});
  const model = modelOf([
    run('a', {}),
    gossip('b', {ack: 1, read: 1}),
    gossip('c', {ack: 1, read: 2}),
    gossip('d', {ack: 2, read: 2}),
  ]);
  assert.deepEqual(
    bySetting(model.runs).map((s) => [s.title, s.runs.length]),
    [
      ['nodes that hold a write before ok 1 · nodes that a read asks 1', 2],
      ['nodes that hold a write before ok 1 · nodes that a read asks 2', 1],
      ['nodes that hold a write before ok 2 · nodes that a read asks 2', 1],
    ],
  );
  const titles = buildFlags(model).map((flag) => flag.title);
  assert.ok(titles.includes('Unlike runs: nodes that a read asks differs'), titles);
  assert.match(conditions(model.runs), /ok when 2 nodes hold a write · reads ask 2 nodes/);
});

test('in a closed loop the load is the operations in flight', () => {
  const [only] = modelOf([run('a', {loop: 'closed', window: 64, rate: null})]).runs;
  assert.equal(only.load.label, '64 in flight');
});

test('the common load is the highest one that all carried, of those most series share', () => {
  const model = modelOf([
    run('a', {rate: 1000}),
    run('b', {rate: 5000}, {offered_ops_per_s: 5000, achieved_ops_per_s: 4990}),
    run('c', {rate: 9000}, {offered_ops_per_s: 9000, achieved_ops_per_s: 6000}),
    run('d', {rate: 1000, nodes: 5}),
    run('e', {rate: 9000, nodes: 5}, {offered_ops_per_s: 9000}),
    run('f', {rate: 5000, nodes: 5}, {offered_ops_per_s: 5000, achieved_ops_per_s: 5000}),
    run('g', {rate: 20000}),
  ]);
  assert.equal(commonLoad(model.runs).value, 5000);
});

test('what a fault cost is counted from its injection to the next fault', () => {
  const row = (t, refused) => ({t_ms: t, completed: 10, refused, unknown: 1, unsent: 0});
  const timeline = [row(-100, 100), row(0, 7), row(100, 2), row(200, 3), row(300, 40)];
  const fault = (at) => ({
    fault: 'kill-leader',
    node: '1',
    injected_ms: at,
    noticed_ms: 1,
    first_success_ms: 2,
    back_to_95_ms: null,
  });
  const killed = {...run('k', {faults: 'kill-leader'}), timeline, faults: [fault(110), fault(300)]};
  const {events} = modelOf([killed]);
  assert.deepEqual(
    events.map((e) => [e.refused, e.unknown, e.unsent]),
    [
      [5, 2, 0],
      [40, 1, 0],
    ],
  );
  assert.equal(binWidth(timeline), 100);
});

test('a warm-up that did not end steady is flagged, one that took longer is noted', () => {
  const warm = (name, warmup) => run(name, {}, {warmup: {asked_s: 2, because: null, ...warmup}});
  const flags = buildFlags(
    modelOf([
      warm('a', {took_s: 4, steady: false, because: 'nothing was completed'}),
      warm('b', {took_s: 2.5, steady: true}),
      warm('c', {took_s: 2, steady: true}),
      warm('d', {took_s: 2, steady: null}),
      run('e', {}),
    ]),
  );
  const of = (title) => flags.find((flag) => flag.title === title);
  const unsteady = of('Not steady after the warm-up in 1 run');
  assert.equal(unsteady.level, 'warn');
  assert.match(unsteady.text, /a \(nothing was completed\)/);
  assert.match(of('Warm-up extended in 1 run').text, /to 2\.5 s at most/);
});

/** Baseline runs a minute apart with these rates. */
function baselineRuns(...rates) {
  return rates.map((rate, at) =>
    run(
      `baseline-0${at}`,
      {algorithm: 'unreplicated', nodes: 1, baseline: true, started_at: `2026-01-01T00:0${at}:00Z`},
      {achieved_ops_per_s: rate},
    ),
  );
}

test('baseline runs are in no figure and no count but their own', () => {
  const model = modelOf([run('a', {}), ...baselineRuns(100, 110, 105)]);
  assert.deepEqual(
    model.runs.map((r) => r.name),
    ['a'],
  );
  assert.equal(model.baseline.length, 3);
  assert.deepEqual(model.series.map((s) => s.label), ['raft · 3 nodes']);
  assert.deepEqual(model.algorithms, ['raft']);
});

test('a machine that varies or drifts is flagged', () => {
  const titles = (...rates) =>
    buildFlags(modelOf([run('a', {}), ...baselineRuns(...rates)])).map((flag) => flag.title);
  assert.ok(titles(100, 121, 100).includes('The machine varied by 21 %'));
  assert.ok(!titles(100, 120, 100).some((title) => title.startsWith('The machine')));
  assert.ok(titles(100, 97, 95, 92, 90).includes('The machine became slower by 11 %'));
  assert.ok(titles(100, 102, 105, 107, 110).includes('The machine became faster by 9.5 %'));
  assert.ok(!titles(100, 101, 102, 103, 104).some((title) => title.startsWith('The machine')));
});

test('the chance of a trend is that of Mann, counted by hand', () => {
  assert.equal(trendChance([1, 2, 3]).toFixed(4), '0.3333', '2 of 6 orders');
  assert.equal(trendChance([3, 2, 1]).toFixed(4), '0.3333');
  assert.equal(trendChance([1, 2, 3, 4, 5]).toFixed(5), (2 / 120).toFixed(5));
  // One pair the wrong way round: 1 + 4 of 120 orders have as few, at either end.
  assert.equal(trendChance([2, 1, 3, 4, 5]).toFixed(5), (10 / 120).toFixed(5));
  assert.equal(trendChance([1, 3, 2]), 1);
  assert.equal(driftOf(baselineRuns(1, 2, 3)), null, 'three values show no trend');
  assert.equal(spreadOf(baselineRuns(90, 120, 100)).share, 0.3);
});

/** All orders of these values, equal ones as often as they can be swapped. */
function ordersOf(values) {
  if (values.length < 2) return [values];
  return values.flatMap((value, at) =>
    ordersOf(values.filter((_, other) => other !== at)).map((rest) => [value, ...rest]),
  );
}

const scoreOf = (values) =>
  values.flatMap((value, at) => values.slice(at + 1).map((later) => Math.sign(later - value)))
    .reduce((sum, sign) => sum + sign, 0);

test('values that are equal never make a trend more certain than it is', () => {
  for (const values of [[1, 1, 2], [1, 1, 1, 2], [1, 2, 2, 3, 4], [1, 1, 2, 2], [5, 4, 4, 3, 2, 1]]) {
    const orders = ordersOf(values);
    const least = Math.abs(scoreOf(values));
    const exact = orders.filter((order) => Math.abs(scoreOf(order)) >= least).length / orders.length;
    assert.ok(trendChance(values) >= exact - 1e-9, `${values}: ${trendChance(values)} < ${exact}`);
  }
  assert.equal(trendChance([1, 2, 2, 3, 4]).toFixed(5), (10 / 120).toFixed(5), 'as with one pair wrong');
});

test('faults above half of a saturation that is known are flagged', () => {
  const faulty = run('f', {faults: 'kill-leader', rate: 600});
  const titles = (...runs) => {
    return buildFlags(modelOf(runs))
      .filter((flag) => flag.level === 'warn')
      .map((flag) => flag.title);
  };
  const title = 'Faults above half of saturation in 1 run';
  const full = run('a', {rate: 2000}, {achieved_ops_per_s: 1000, offered_ops_per_s: 2000});
  assert.ok(titles(faulty, full).includes(title), 'a rate that was not reached');
  assert.ok(!titles(faulty, run('b', {rate: 1000})).includes(title), 'one that was');
  const closed = run('c', {loop: 'closed', window: 8}, {achieved_ops_per_s: 1100});
  assert.ok(titles(faulty, closed).includes(title), 'a closed loop');
  const search = (saturation) => {
    const found = {saturation_ops_per_s: saturation, rate_low: 1, rate_high: 2};
    return run('d', {rate: 'search'}, {search: {objective: 'p99<=1ms', ...found}});
  };
  assert.ok(titles(faulty, search(1199)).includes(title), 'a search');
  assert.ok(!titles(faulty, search(1200)).includes(title), 'exactly half');
  const other = run('e', {nodes: 5, rate: 2000}, {achieved_ops_per_s: 10, offered_ops_per_s: 2000});
  assert.ok(!titles(faulty, other).includes(title), 'of other conditions nothing is known');
});

test('quantiles are read at the upper edge, and end where the unanswered begin', () => {
  const histogram = [
    {latency_us_low: 0, latency_us_high: 1000, count: 90},
    {latency_us_low: 1000, latency_us_high: 5000, count: 9},
  ];
  const at = (rank, unanswered) => {
    return quantiles(histogram, unanswered).find((q) => q.rank === rank)?.latency_ms;
  };
  assert.equal(at(2, 1), 1);
  assert.equal(at(10, 1), 1);
  assert.equal(at(100, 1), 5);
  assert.equal(at(10, 20), undefined, 'the 90th percentile lies among 20 unanswered of 119');
  assert.equal(quantiles([], 5).length, 0);
});

test('a layout has as many columns as fit, and no colour token left', () => {
  const panel = {title: 'p', rows: [{height: 10, spec: {mark: {type: 'point', color: '@raft'}}}]};
  const figure = {
    name: 'f',
    title: 't',
    conditions: 'c',
    legend: [],
    panels: [panel, panel],
    minPanel: 300,
    maxColumns: 2,
    yExtent: 40,
  };
  const columns = (width) => {
    return layout(figure, {width, theme: 'dark', titled: true}).vconcat[0].columns;
  };
  assert.equal(columns(1100), 2);
  assert.equal(columns(360), 1);
  const text = JSON.stringify(layout(figure, {width: 800, theme: 'light', titled: false}));
  assert.ok(!text.includes('@raft') && text.includes('#0072b2'));
});

test('a spec becomes TOML', () => {
  assert.equal(
    toToml({rate: [1, 2], loop: 'open', none: null, options: {raft: {a_ms: 150}}}),
    'rate = [1, 2]\nloop = "open"\n[options.raft]\na_ms = 150',
  );
});

test('how often two placements meet follows from the shares of the cells', () => {
  assert.equal(meetingChance('uniform', '10x10'), 0.01);
  const zipf = [1, 1 / 2, 1 / 3, 1 / 4];
  const sum = zipf.reduce((a, b) => a + b, 0);
  const squares = zipf.reduce((a, b) => a + b * b, 0);
  assert.ok(Math.abs(meetingChance('zipf', '2x2') - squares / sum ** 2) < 1e-12);
  assert.ok(Math.abs(meetingChance('zipf:0.000001', '2x2') - 0.25) < 1e-6, 'nearly uniform');
  assert.ok(Math.abs(meetingChance('hotspot:0.5@2', '2x2') - 0.25) < 1e-12, 'all alike');
  assert.ok(Math.abs(meetingChance('hotspot:1@16', '10x10') - 1 / 16) < 1e-12);
  assert.equal(meetingChance('hotspot', '10x10'), meetingChance('hotspot:0.9@16', '10x10'));
  assert.equal(meetingChance('rplace', '10x10'), null);
  assert.equal(meetingChance('uniform', 'large'), null);
});

test('runs are grouped by their setting but for what a figure is about', () => {
  const model = modelOf([run('a', {}), run('b', {batch: 8}), run('c', {batch: 8, durability: 'async'})]);
  assert.deepEqual(
    bySetting(model.runs, ['batch']).map((s) => [s.title, s.runs.length]),
    [
      ['durability none', 2],
      ['durability async', 1],
    ],
  );
  assert.equal(bySetting(model.runs, ['batch', 'durability']).length, 1);
});
