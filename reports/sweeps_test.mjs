// What a report makes of sweeps that have something particular.

import assert from 'node:assert/strict';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {planRuns} from './testdata/fixture.mjs';
import {
  edit,
  panelsIn,
  plotOf,
  report,
  rowsOf,
  tableIn,
  titles,
  twoRuns,
} from './testdata/reporting.mjs';

test('from six repetitions on the interval is a confidence interval', () => {
  const runs = planRuns({nodes: {raft: [3]}, rates: [10000], repetitions: 9, kills: {}});
  runs.forEach((run, at) => (run.summary = {achieved_ops_per_s: 9001 + at}));
  const result = report('nine', runs);
  const plot = plotOf(result, 'latency-throughput');
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
  const table = (id) => tableIn(result.html, id);
  assert.match(table('medians'), /<td>95 %<\/td>.*>2\.5 \(2 – 3\), range of 2</s);
  assert.doesNotMatch(table('medians'), /9 k\/s[^<]*range/, 'all have their throughput');
  assert.match(table('recoveries'), />[\d,]+, one run</);
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
  const table = tableIn(result.html, 'runs');
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
  const plot = plotOf(result, 'options');
  const rows = readFileSync(plot.csv, 'utf8').trim().split('\n');
  assert.equal(rows.length, 1 + cells.length * 2, 'every repetition, both measures');
  assert.match(rows[1], /fencing (epoch|none)/);
  assert.match(result.html, /bully_2pc, fencing none, batch_interval_ms 100 · 3 nodes|batch_interval_ms 100, fencing none · 3 nodes/);
  assert.match(result.html, /with batch_interval_ms 0 → 100 the median latency goes from/);
  assert.match(result.html, /500 µs to 52.5 ms/);
  assert.match(result.html, /0.52 of each ms added/);
  assert.ok(!report('no-options', twoRuns()).done.plots.some((p) => p.name === 'options'));
});

test('growing clusters are drawn where they were measured', () => {
  const row = (nodes, rounds) => `gossip_lww,${nodes},1,12.5,${rounds},9,4000,1500`;
  const header =
    'algorithm,nodes,seed,agreed_after_ms,rounds,promised_rounds,bytes_to_agree,idle_bytes_per_s';
  const measured = (lines) => (dir) =>
    writeFileSync(join(dir, 'scaling.csv'), [header, ...lines, ''].join('\n'));
  const result = report('scaling', twoRuns(), measured([row(10, 2.5), row(1000, 6)]));
  assert.equal(result.status, 0, result.stderr);
  const plot = plotOf(result, 'scaling');
  assert.match(readFileSync(plot.csv, 'utf8'), /1000/);
  assert.match(readFileSync(plot.svg, 'utf8'), /rounds of exchange until all agree/);
  assert.match(result.html, /Simulated clusters as they grow/);
  const regions = (dir) =>
    writeFileSync(
      join(dir, 'scaling.csv'),
      `${header},options,crossings_per_write\n${row(1000, 4)},,2419\n${row(1000, 5)},region_size 32,86\n`,
    );
  const both = report('scaling-regions', twoRuns(), regions);
  const drawn = readFileSync(plotOf(both, 'scaling').svg, 'utf8');
  assert.match(drawn, /gossip_lww, region_size 32/);
  assert.match(drawn, /messages of a write between regions of 32/);
  assert.doesNotMatch(drawn, /"@/, 'it has a colour of its own');
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
  const plot = plotOf(result, 'locality');
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
  const plot = plotOf(result, 'knee');
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
    consistency: {verdict: 'pass', places: 1000, superseded: 1000 * shares[workload]},
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

/** As the page has numbers. */
const sixDigits = (number) => Number(number.toPrecision(6));

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
      [3, 0.9, '3,092 (3,091 – 3,093)', sixDigits(90 / 2090)],
      [5, 0, '5,002 (5,001 – 5,003)', sixDigits(2000 / 2090)],
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
