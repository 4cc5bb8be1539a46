// What the figures and tables are made from: runs with their series (strategy × node count), their
// load, and their setting (everything else that must agree before two runs may be compared).

import {asText} from './read.mjs';
import {count, isNumber, median, perSecond} from './format.mjs';

/** What must agree between compared runs, besides strategy, node count and load. */
const SETTING_KEYS = [
  ['durability', 'durability', (m) => m.durability],
  ['read_mode', 'reads', (m) => m.read_mode],
  ['read_share', 'read share', (m) => m.read_share],
  // Where a strategy has these as options; the others' numbers are part of what they promise.
  ['ack', 'nodes that hold a write before ok', (m) => m.options?.ack ?? 1],
  ['read', 'nodes that a read asks', (m) => m.options?.read ?? 1],
  ['routing', 'routing', (m) => m.routing],
  ['batch', 'batch', (m) => m.batch],
  ['loop', 'loop', (m) => m.loop],
  ['workload', 'workload', (m) => m.workload],
  ['links', 'links', (m) => m.links],
  ['transport', 'transport', (m) => m.transport],
  ['clients', 'clients', (m) => m.clients],
  ['canvas', 'canvas', (m) => m.canvas],
  ['record', 'recording', (m) => m.record],
  ['snapshot_bytes', 'bytes between snapshots', (m) => m.snapshot_bytes],
  ['build_type', 'build', (m) => m.software?.build_type],
  ['host', 'host', (m) => hostName(m.host)],
];

/** A host in words: processor, cores, memory, kernel. */
export function hostName(host) {
  if (!host || typeof host !== 'object') return null;
  const parts = [];
  if (host.name) parts.push(host.name);
  if (host.cpu) parts.push(host.cpu);
  if (host.cores) parts.push(`${host.cores} cores`);
  if (isNumber(host.memory_bytes)) {
    parts.push(`${(host.memory_bytes / 2 ** 30).toFixed(1)} GiB`);
  }
  if (host.kernel) parts.push(`Linux ${String(host.kernel).replace(/^Linux\s+/, '')}`);
  return parts.join(', ') || null;
}

/** Order in which strategies are drawn and listed: the control first, then by name. */
function algorithmOrder(a, b) {
  const rank = (name) => (name === 'unreplicated' ? 0 : 1);
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** The load of a run: operations in flight in a closed loop, else the offered rate. */
function loadOf(manifest, summary) {
  if (manifest.loop === 'closed') {
    const window = isNumber(manifest.window) ? manifest.window : 0;
    return {value: window, label: `${count(window)} in flight`};
  }
  // Repetitions of a search end at rates of their own, and are one load all the same.
  if (summary.search) return {value: 0, label: `highest rate with ${summary.search.objective}`};
  const stated = isNumber(manifest.rate) ? manifest.rate : null;
  const value = stated ?? summary.offered_ops_per_s ?? summary.achieved_ops_per_s;
  const rate = perSecond(value);
  return {value, label: `${rate} offered`};
}

function isDisturbed(manifest) {
  const faults = asText(manifest.faults);
  return faults !== null && faults !== '' && faults !== 'none';
}

/** The options in which runs of a strategy differ: a Map from its name to theirs. */
function variedOptions(runs) {
  const varied = new Map();
  for (const [algorithm, own] of groupBy(runs, (run) => run.manifest.algorithm)) {
    const names = [...new Set(own.flatMap((run) => Object.keys(run.manifest.options ?? {})))];
    const values = (name) => new Set(own.map((run) => asText(run.manifest.options?.[name])));
    varied.set(
      algorithm,
      names.filter((name) => values(name).size > 1),
    );
  }
  return varied;
}

/** With options that vary a strategy stands for as many as were measured: "bully_2pc, pipeline 1". */
function strategyName(algorithm, options) {
  const words = Object.entries(options).map(([name, value]) => `${name} ${asText(value)}`);
  return [algorithm, ...words].join(', ');
}

function describeRun(run, varied) {
  const {manifest, summary} = run;
  const own = varied.get(manifest.algorithm);
  const options = Object.fromEntries(own.map((name) => [name, manifest.options?.[name] ?? null]));
  const algorithm = strategyName(manifest.algorithm, options);
  const setting = Object.fromEntries(
    SETTING_KEYS.map(([key, , pick]) => {
      return [key, asText(pick(manifest)) ?? 'not stated'];
    }),
  );
  return {
    ...run,
    algorithm,
    variedOptions: options,
    nodes: manifest.nodes,
    series: seriesLabel(algorithm, manifest.nodes),
    load: loadOf(manifest, summary),
    setting,
    settingId: SETTING_KEYS.map(([key]) => setting[key]).join('\u0001'),
    repetition: manifest.repetition ?? null,
    disturbed: isDisturbed(manifest),
    faultName: asText(manifest.faults) ?? 'none',
  };
}

/** Whether a run is of a strategy; the bare transport beside them, their ceiling, is none. */
export const isOfStrategy = (run) => run.manifest.algorithm !== 'bare_path';

/** Whether a run only shows what the machine did; it is in no figure but its own. */
export const isBaseline = (run) => run.manifest.baseline === true;

/** "raft · 3 nodes". */
export function seriesLabel(algorithm, nodes) {
  return `${algorithm} · ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
}

/** The keys of a setting in which these runs differ, as [key, name]. */
export function differingKeys(runs) {
  return SETTING_KEYS.filter(([key]) => new Set(runs.map((run) => run.setting[key])).size > 1).map(
    ([key, name]) => [key, name],
  );
}

/**
 * Groups runs by setting, the largest group first.
 * Each is {id, title, runs}; the title names only what differs between the groups.
 * @param but keys of the setting that may differ within a group: what a figure is about
 */
export function bySetting(runs, but = []) {
  const keys = differingKeys(runs).filter(([key]) => !but.includes(key));
  const idOf = ({setting}) =>
    SETTING_KEYS.filter(([key]) => !but.includes(key)).map(([key]) => setting[key]).join('\u0001');
  const groups = groupBy(runs, but.length ? idOf : (run) => run.settingId);
  const settings = [...groups].map(([id, members]) => {
    const title = keys.map(([key, name]) => settingWord(key, name, members[0])).join(' · ');
    return {id, title, runs: members};
  });
  return settings.sort((a, b) => b.runs.length - a.runs.length || (a.title < b.title ? -1 : 1));
}

function settingWord(key, name, run) {
  if (key === 'loop') return `${run.setting.loop} loop`;
  if (key === 'workload' || key === 'transport' || key === 'links') return run.setting[key];
  return `${name} ${run.setting[key]}`;
}

/** A Map of lists, in order of first appearance. */
export function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const at = key(item);
    if (!groups.has(at)) groups.set(at, []);
    groups.get(at).push(item);
  }
  return groups;
}

/** The repetitions of the same thing, as lists, ordered by series and load. */
export function cells(runs) {
  const key = (run) =>
    `${run.settingId}\u0001${run.series}\u0001${run.load.label}\u0001${run.faultName}`;
  return [...groupBy(runs, key).values()];
}

/** The distinct loads of these runs, in rising order. */
export function loads(runs) {
  const labels = new Map(runs.map((run) => [run.load.label, run.load]));
  return [...labels.values()].sort((a, b) => a.value - b.value);
}

/**
 * The load at which series are best compared: among those measured for the most series, the
 * highest that every run carried (>= 95 % of what was offered), else the lowest.
 */
export function commonLoad(runs) {
  const candidates = loads(runs).map((load) => {
    const members = runs.filter((run) => run.load.label === load.label);
    const carried = members.every((run) => {
      const offered = run.summary.offered_ops_per_s;
      return !offered || run.summary.achieved_ops_per_s >= 0.95 * offered;
    });
    return {load, series: new Set(members.map((run) => run.series)).size, carried};
  });
  const most = Math.max(...candidates.map((c) => c.series));
  const widest = candidates.filter((c) => c.series === most);
  const carried = widest.filter((c) => c.carried);
  return (carried.length ? carried[carried.length - 1] : widest[0]).load;
}

/** A percentile as a number for medians: above the timeout counts as endless. */
export function percentileUs(p) {
  if (!p) return null;
  return p.above ? Infinity : p.us;
}

/** percentileUs() in ms, endless above the timeout as well. */
export function percentileMs(p) {
  const us = percentileUs(p);
  return us === null ? null : us / 1000;
}

/** The median of a figure over repetitions; null when none has it. */
export function medianOf(runs, pick) {
  return median(runs.map(pick).filter((v) => v !== null && v !== undefined));
}

/** CPU-seconds per million operations of nodes and clients together; null when unknown. */
export function cpuTotal(summary) {
  if (!isNumber(summary.cpu_nodes)) return null;
  return summary.cpu_nodes + (summary.cpu_clients ?? 0);
}

/**
 * Every fault of every run with its effects: counts of what went wrong between the injection and
 * the next fault (or the end of the measured window), from the timeline.
 */
function faultEvents(run) {
  const faults = [...(run.faults ?? [])].sort((a, b) => a.injected_ms - b.injected_ms);
  return faults.map((fault, at) => {
    const until = faults[at + 1]?.injected_ms ?? Infinity;
    const step = binWidth(run.timeline);
    const during = (run.timeline ?? []).filter((row) => {
      return row.t_ms + step > fault.injected_ms && row.t_ms < until && row.t_ms >= 0;
    });
    const sum = (column) =>
      run.timeline === null ? null : during.reduce((total, row) => total + (row[column] ?? 0), 0);
    return {
      ...fault,
      ended_ms: fault.ended_ms ?? null,
      converged_ms: fault.converged_ms ?? null,
      hit: (fault.nodes ?? fault.node ?? '').split(' ').filter(Boolean).map(Number),
      run,
      number: at + 1,
      of: faults.length,
      refused: sum('refused'),
      unknown: sum('unknown'),
      unsent: sum('unsent'),
    };
  });
}

/** The width of a timeline's bins in ms: the most frequent distance of its rows. */
export function binWidth(timeline) {
  if (!timeline || timeline.length < 2) return 100;
  return median(timeline.slice(1).map((row, at) => row.t_ms - timeline[at].t_ms)) || 100;
}

/** Builds the model of a report from what readResults returned. */
export function buildModel(results) {
  const varied = variedOptions(results.runs);
  const all = results.runs.map((run) => describeRun(run, varied));
  const described = all.filter((run) => !isBaseline(run));
  const runs = described.sort((a, b) => {
    return (
      algorithmOrder(a.algorithm, b.algorithm) ||
      a.nodes - b.nodes ||
      Number(a.disturbed) - Number(b.disturbed) ||
      (a.settingId < b.settingId ? -1 : a.settingId > b.settingId ? 1 : 0) ||
      a.load.value - b.load.value ||
      (a.repetition ?? 0) - (b.repetition ?? 0) ||
      (a.id < b.id ? -1 : 1)
    );
  });
  runs.forEach((run, at) => {
    run.at = at + 1;
  });
  const steady = runs.filter((run) => !run.disturbed);
  return {
    ...results,
    runs,
    baseline: all.filter(isBaseline),
    steady,
    disturbed: runs.filter((run) => run.disturbed),
    events: runs.flatMap(faultEvents),
    algorithms: [...new Set(runs.map((run) => run.algorithm))],
    series: [
      ...new Map(
        runs.map((run) => {
          return [run.series, {label: run.series, algorithm: run.algorithm, nodes: run.nodes}];
        }),
      ).values(),
    ],
    settings: bySetting(runs),
  };
}
