// Writes a synthetic sweep: made-up figures in the shape of real ones, from a formula and a seed.
// Nothing here was measured.

import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** A small reproducible generator of numbers in [0, 1). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const TIMELINE =
  't_ms,completed,refused,unknown,unsent,p50_us,p99_us,leader,divergent_cells,lag';
const COST = {unreplicated: 0.55, raft: 0.9, bully_2pc: 1.5, gossip_lww: 0.7};
const GUARANTEE = {
  unreplicated: 'linearizable on its one node',
  raft: 'linearizable',
  bully_2pc: 'atomic batches, one order',
  gossip_lww: 'last writer wins, eventually',
};

function capacity(algorithm, nodes) {
  return 900000 / (COST[algorithm] ?? 1) / (1 + 0.22 * (nodes - 1));
}

function manifestOf(run, at) {
  return {
    algorithm: run.algorithm,
    nodes: run.nodes,
    rate: run.rate,
    durability: 'none',
    read_mode: 'local',
    read_share: 0,
    routing: 'any',
    batch: 1,
    window: 1024,
    loop: 'open',
    workload: 'uniform',
    links: 'loopback',
    faults: run.faults,
    seed: 1,
    repetition: run.repetition,
    guarantee: GUARANTEE[run.algorithm] ?? 'none',
    transport: 'tcp',
    duration_s: 10,
    warmup_s: 2,
    canvas: '1000x1000',
    clients: 1024,
    software: {
      commit: '0123456789abcdef',
      build_type: 'Release',
      compiler: 'GNU 12.2.0',
      version: '0.1.0',
    },
    host: {
      cpu: 'Synthetic CPU',
      cores: 2,
      memory_bytes: 8 * 2 ** 30,
      kernel: '6.1.0',
      disk_sync_us_p50: 140,
    },
    started_at: `2025-01-01T00:${String(at % 60).padStart(2, '0')}:00Z`,
    notes: [],
    ...run.manifest,
  };
}

const BINS = 96;

function histogramOf(median, tail, total, random) {
  const bins = [];
  let left = total;
  for (let bin = 0; bin < BINS && left > 0; bin += 1) {
    const low = (median / 6) * 1.08 ** bin;
    const high = low * 1.08;
    const z = Math.log(high / median);
    const share = z < 0 ? 0.5 * Math.exp(z * 3) : 1 - 0.5 * Math.exp(-z * tail);
    const upTo = Math.floor(total * share * (1 - 1e-6 * random()));
    const count = bin === BINS - 1 ? left : Math.max(0, upTo - (total - left));
    if (count > 0) bins.push([low.toFixed(1), high.toFixed(1), count]);
    left -= count;
  }
  return bins;
}

function percentileOf(bins, total, q) {
  let sum = 0;
  for (const [, high, count] of bins) {
    sum += count;
    if (sum >= q * total) return Number(high);
  }
  return Number(bins[bins.length - 1][1]);
}

function timelineOf(run, fault, perBin, random) {
  const rows = [];
  for (let t = -2000; t < 10000; t += 100) {
    const noisy = Math.round(perBin * (0.98 + 0.04 * random()));
    const since = fault ? t - fault.injected_ms : -1;
    const down = fault && since >= -50 && since < fault.first_success_ms;
    const back = fault && !down && since >= 0 && since < fault.back_to_95_ms;
    const row = {
      completed: noisy,
      refused: 0,
      unknown: 0,
      unsent: 0,
      leader: fault && since >= 0 ? 2 : 1,
    };
    if (down) {
      row.completed = 0;
      row.unknown = since < 100 ? Math.round(perBin * 0.15 * random()) : 0;
      row.refused = since < fault.noticed_ms ? 0 : Math.round(perBin * 0.6);
      row.unsent = Math.round(perBin * 0.3 * random());
      row.leader = '';
    } else if (back) {
      row.completed = Math.round(perBin * (0.6 + 0.3 * random()));
    }
    rows.push([
      t,
      row.completed,
      row.refused,
      row.unknown,
      row.unsent,
      400,
      2000,
      row.leader,
      '',
      Math.round(3 * random()),
    ]);
  }
  return rows;
}

function faultOf(run, random) {
  if (!run.faults || run.faults === 'none') return null;
  const noticed = Math.round(150 + 120 * random());
  const first = noticed + Math.round(40 + 60 * random());
  return {
    fault: 'kill-leader',
    node: 1,
    injected_ms: 5030,
    noticed_ms: noticed,
    first_success_ms: first,
    back_to_95_ms: first + Math.round(200 + 500 * random()),
  };
}

/** The leader dies, another one leads, and clients are answered again, `late` ms sooner or later. */
function eventsOf(fault, late) {
  const at = fault.injected_ms;
  const led = at + fault.noticed_ms + late;
  return [
    [-2000, 'leader', 1, 3, ''],
    [at, 'fault', fault.node, '', fault.fault],
    [led - 10, 'leader_lost', 1, '', ''],
    [led, 'leader', 2, 4, ''],
    [at + fault.first_success_ms + late, 'success', 3, '', fault.fault],
  ];
}

function summaryOf(run, parts) {
  const {offered, achieved, bins, total, fault, counts, random} = parts;
  const at = (q) => percentileOf(bins, total, q);
  const cost = (COST[run.algorithm] ?? 1) * (0.97 + 0.06 * random());
  const latency = {
    min: Number(bins[0][0]),
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: Number(bins[bins.length - 1][1]),
  };
  return {
    offered_ops_per_s: offered,
    achieved_ops_per_s: achieved,
    completed: Math.round(achieved * 10),
    ...counts,
    latency_us: latency,
    service_us: latency,
    messages_per_op: Number((2 * (run.nodes - 1) * 0.12 + 2).toFixed(3)),
    bytes_per_op: Number((48 + 30 * run.nodes * cost).toFixed(1)),
    cpu_s_per_mops: {
      nodes: Number((cost * (0.6 + 0.5 * run.nodes)).toFixed(3)),
      clients: Number((0.9 + 0.1 * random()).toFixed(3)),
      nodes_user: Number((cost * 0.4).toFixed(3)),
      nodes_system: Number((cost * 0.3).toFixed(3)),
    },
    context_switches: {voluntary: 1000, involuntary: 10, voluntary_per_op: 0.731, involuntary_per_op: 0.00731},
    disk: {written_bytes: 5e6, written_bytes_per_op: 54.3, user_bytes: 1e6, write_amplification: 4.53},
    cost_by_node: Array.from({length: run.nodes}, (_, i) => ({
      node: i + 1,
      cpu_s_per_mops: 7.11 + i,
      user_s_per_mops: 4.01,
      system_s_per_mops: 3.1,
      messages_per_op: 2.22,
      voluntary_switches_per_op: 0.5,
      involuntary_switches_per_op: 0.01,
      written_bytes_per_op: null,
    })),
    peak_rss_bytes: {1: 40e6, 2: 41e6},
    elections: fault ? 1 : 0,
    generator: {cpu_share: 0.3, late_share: 0.001, limited: false},
    recovery: fault ? [fault] : [],
    as_simulated: fault ? AS_SIMULATED : null,
    consistency: {
      verdict: run.algorithm === 'gossip_lww' ? 'not_promised' : 'pass',
      lost: 0,
      superseded: run.algorithm === 'gossip_lww' ? 421 : 0,
      older_wins: 0,
      stale_reads: 0,
      duplicates: 0,
      divergent_cells_max: 0,
      lag_max: 3,
      converged_ms: 40,
    },
    ...run.summary,
  };
}

const AS_SIMULATED = {
  same_order: true,
  same_refusals: true,
  text: 'yes: kill-leader: leader lost, another leads, success',
};

const csvOf = (header, rows) => `${header}\n${rows.map((row) => `${row.join(',')}\n`).join('')}`;

function writeRun(dir, run, at) {
  const random = randomFrom(at * 7919 + 17);
  const limit = capacity(run.algorithm, run.nodes) * (0.97 + 0.06 * random());
  const offered = run.rate;
  const achieved = Math.round(Math.min(offered, limit) * 10) / 10;
  const busy = Math.min(0.98, offered / limit);
  const median =
    (((180 + 90 * (run.nodes - 1) * 0.4) * (COST[run.algorithm] ?? 1)) / (1 - busy * 0.97)) *
    (0.94 + 0.12 * random());
  const total = Math.round(achieved * 10);
  const bins = histogramOf(
    median,
    (run.faults === 'none' ? 2.2 : 1.6) * (0.95 + 0.1 * random()),
    total,
    random,
  );
  const fault = faultOf(run, random);
  const timeline = timelineOf(run, fault, achieved / 10, random);
  const sum = (column) => timeline.reduce((s, row) => s + (row[0] >= 0 ? row[column] : 0), 0);
  const counts = {
    refused: sum(2),
    unknown: sum(3),
    unsent: Math.round(sum(4) + Math.max(0, offered - limit) * 10),
  };
  const manifest = manifestOf(run, at);
  const summary = summaryOf(run, {offered, achieved, bins, total, fault, counts, random});
  mkdirSync(dir, {recursive: true});
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest, null, 2));
  writeFileSync(join(dir, 'summary.json'), JSON.stringify(summary, null, 2));
  writeFileSync(
    join(dir, 'timeline.csv'),
    csvOf(TIMELINE, timeline),
  );
  writeFileSync(join(dir, 'histogram.csv'), csvOf('latency_us_low,latency_us_high,count', bins));
  const faults = fault
    ? [
        [
          fault.fault,
          fault.node,
          fault.injected_ms,
          fault.noticed_ms,
          fault.first_success_ms,
          fault.back_to_95_ms,
        ],
      ]
    : [];
  writeFileSync(
    join(dir, 'faults.csv'),
    csvOf('fault,node,injected_ms,noticed_ms,first_success_ms,back_to_95_ms', faults),
  );
  if (fault) {
    const header = 't_ms,event,node,epoch,fault';
    writeFileSync(join(dir, 'events.csv'), csvOf(header, eventsOf(fault, 0)));
    writeFileSync(join(dir, 'simulated.csv'), csvOf(header, eventsOf(fault, -20)));
  }
  return {manifest, summary};
}

const SPLIT = {fault: 'partition-leader', injected_ms: 3050, ended_ms: 5550, converged_ms: 120};

/**
 * A run with a partition that cuts node 1 off for 2.5 s: gossip goes on at both sides and diverges by
 * 100 cells a bin, an order goes on at one and lags at the other, where what waited is placed at once
 * in the row in which the network is healed.
 */
function writeSplit(dir, run) {
  const merges = run.algorithm === 'gossip_lww';
  const manifest = manifestOf({...run, rate: 1000}, 0);
  Object.assign(manifest, {read_share: 0.2, workload: 'zipf', record: 'all', ...run.manifest});
  const timeline = [];
  const nodes = [];
  for (let t = 0; t < 10000; t += 100) {
    const split = t >= SPLIT.injected_ms && t < SPLIT.ended_ms;
    const apart = split ? t - SPLIT.injected_ms : 1;
    const state = merges ? ['', apart, ''] : [2, '', 2 * apart];
    timeline.push([t, 100, 0, 0, 0, 400, 2000, ...state]);
    const heals = split && t + 100 > SPLIT.ended_ms;
    const refused = split && !merges;
    nodes.push([t, 1, refused ? 700 * heals : 27, 6, refused ? 40 : 0]);
    nodes.push([t, 2, 27, 6, 0], [t, 3, 26, 8, 0]);
  }
  const stale = merges ? 150 : 50;
  const summary = {
    offered_ops_per_s: 1000,
    achieved_ops_per_s: 1000,
    completed: 10000,
    unsent: 0,
    latency_us: {p50: 150, p99: 1990},
    recovery: [],
    consistency: {
      verdict: 'pass',
      lost: 0,
      superseded: merges ? 77 : null,
      older_wins: merges ? 5 : 0,
      reads: 2000,
      stale_reads: stale,
      stale_ms_p99: 1500,
      stale_ms_max: 2400,
      stale_versions_p99: 3,
      stale_versions_max: 9,
      duplicates: 0,
      divergent_cells_max: merges ? 2400 : 0,
      lag_max: merges ? null : 4800,
      converged_ms: 12,
    },
    ...run.summary,
  };
  mkdirSync(dir, {recursive: true});
  const file = (leaf, text) => writeFileSync(join(dir, leaf), text);
  file('manifest.json', JSON.stringify(manifest, null, 2));
  file('summary.json', JSON.stringify(summary, null, 2));
  file('timeline.csv', csvOf(TIMELINE, timeline));
  file('nodes.csv', csvOf('t_ms,node,placed,read,refused', nodes));
  file(
    'faults.csv',
    csvOf(
      'fault,node,injected_ms,noticed_ms,first_success_ms,back_to_95_ms,nodes,ended_ms,converged_ms',
      [[SPLIT.fault, 1, SPLIT.injected_ms, '', 3, 500, 1, SPLIT.ended_ms, SPLIT.converged_ms]],
    ),
  );
  file('histogram.csv', csvOf('latency_us_low,latency_us_high,count', [[100, 200, 10000]]));
  const share = (reads) => [reads, reads / 2000];
  file(
    'staleness.csv',
    csvOf('unit,at_most,reads,share', [
      ['ms', 0, ...share(2000 - stale)],
      ['ms', 10, ...share(1980)],
      ['ms', 2512, ...share(2000)],
      ['versions', 0, ...share(2000 - stale)],
      ['versions', 2, ...share(1990)],
      ['versions', 9, ...share(2000)],
    ]),
  );
  file(
    'visibility.csv',
    csvOf('t_ms_low,t_ms_high,reads,seen,predicted', [
      [0, 0.01, 10, 4, 0.34],
      [0.01, 1, 500, 400, 0.82],
      [1, 10, 1000, 950, 0.97],
      [10, 100, 400, 400, 1],
      [100, 1000, 0, 0, 1],
    ]),
  );
  return {manifest, summary};
}

/** The runs of a sweep: strategies × nodes × rates × repetitions, and kill runs at one rate. */
export function planRuns({
  nodes = {unreplicated: [1], raft: [3, 5]},
  rates = [10000, 50000, 200000],
  repetitions = 3,
  kills = {raft: [3, 5]},
  killRate = 50000,
  splits = {},
} = {}) {
  const runs = [];
  for (const [algorithm, counts] of Object.entries(nodes)) {
    for (const n of counts) {
      for (const rate of rates) {
        for (let repetition = 1; repetition <= repetitions; repetition += 1) {
          runs.push({
            name: `${algorithm}-${n}-r${rate}-${repetition}`,
            algorithm,
            nodes: n,
            rate,
            repetition,
            faults: 'none',
          });
        }
      }
    }
  }
  for (const [algorithm, counts] of Object.entries(kills)) {
    for (const n of counts) {
      for (let repetition = 1; repetition <= repetitions; repetition += 1) {
        runs.push({
          name: `${algorithm}-${n}-kill-${repetition}`,
          algorithm,
          nodes: n,
          rate: killRate,
          repetition,
          faults: 'kill-leader',
        });
      }
    }
  }
  for (const [algorithm, counts] of Object.entries(splits)) {
    for (const n of counts) {
      for (let repetition = 1; repetition <= repetitions; repetition += 1) {
        const name = `${algorithm}-${n}-split-${repetition}`;
        runs.push({name, algorithm, nodes: n, rate: 1000, repetition, faults: 'partition'});
      }
    }
  }
  return runs;
}

/**
 * Writes a sweep's folder with these runs (as planRuns makes them; `manifest` and `summary` of a run
 * override fields). Returns {name: {manifest, summary}}.
 */
export function writeSweep(dir, runs) {
  mkdirSync(dir, {recursive: true});
  const written = {};
  runs.forEach((run, at) => {
    const write = run.faults === 'partition' ? writeSplit : writeRun;
    written[run.name] = write(join(dir, run.name), run, at);
  });
  const spec = {
    algorithms: [...new Set(runs.map((r) => r.algorithm))],
    nodes: [...new Set(runs.map((r) => r.nodes))],
    rate: [...new Set(runs.map((r) => r.rate))],
    repetitions: Math.max(...runs.map((r) => r.repetition)),
    seed: 1,
    options: {raft: {election_timeout_min_ms: 150, election_timeout_max_ms: 300}},
  };
  const states = runs.map(({name, algorithm, nodes}) => ({name, state: 'done', algorithm, nodes}));
  writeFileSync(join(dir, 'sweep.json'), JSON.stringify({spec, runs: states}, null, 2));
  return written;
}
