// Reads result folders, and nothing else. What a file may leave out is decided here and nowhere
// else: an optional figure that is absent becomes null; a wrong one is an InputError that names the
// file, the field and what is allowed.

import {existsSync, readFileSync, readdirSync, statSync} from 'node:fs';
import {basename, join, relative, resolve} from 'node:path';

/** Input that cannot be used; ends the program with exit status 2. */
export class InputError extends Error {}

const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_RUNS = 10000;
const STATES = ['done', 'failed', 'pending', 'running'];

/** Percentiles of `latency_us` and `service_us`, in the order of the distribution. */
export const PERCENTILES = ['min', 'p50', 'p90', 'p99', 'p999', 'max'];

const TIMELINE_COLUMNS = [
  't_ms',
  'completed',
  'refused',
  'unknown',
  'unsent',
  'p50_us',
  'p99_us',
  'leader',
  'divergent_cells',
  'lag',
];
const FAULT_COLUMNS = [
  'fault',
  'node',
  'injected_ms',
  'noticed_ms',
  'first_success_ms',
  'back_to_95_ms',
];
const HISTOGRAM_COLUMNS = ['latency_us_low', 'latency_us_high', 'count'];
const EVENT_COLUMNS = ['t_ms', 'event', 'node', 'epoch', 'fault'];
const EVENTS = ['fault', 'leader_lost', 'leader', 'success', 'refused', 'healed'];
const NODE_COLUMNS = ['t_ms', 'node', 'placed', 'read', 'refused'];
const STALENESS_COLUMNS = ['unit', 'at_most', 'reads', 'share'];
const VISIBILITY_COLUMNS = ['t_ms_low', 't_ms_high', 'reads', 'seen', 'predicted'];
const SCALING_COLUMNS = [
  'algorithm',
  'nodes',
  'seed',
  'rounds',
  'promised_rounds',
  'bytes_to_agree',
  'idle_bytes_per_s',
];
const TEXT_COLUMNS = new Set([
  'options',
  'leader',
  'fault',
  'node',
  'nodes',
  'event',
  'unit',
  'algorithm',
  'detail',
]);

function readText(file) {
  const bytes = statSync(file).size;
  if (bytes > MAX_FILE_BYTES) {
    throw new InputError(`${file}: ${bytes} bytes; at most ${MAX_FILE_BYTES} are read`);
  }
  return readFileSync(file, 'utf8');
}

function readJson(file) {
  let value;
  try {
    value = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file}: not JSON: ${error.message}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new InputError(`${file}: must hold a JSON object`);
  }
  return value;
}

/** A number at `path` ("a.b") of `object`: null when absent, unless it is required. */
function numberAt(file, object, path, {required = false, min = 0} = {}) {
  const value = path.split('.').reduce((at, key) => at?.[key], object);
  if (value === undefined || value === null) {
    if (required) throw new InputError(`${file}: field '${path}' is missing; it must be a number`);
    return null;
  }
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min) {
    throw new InputError(
      `${file}: field '${path}' is ${JSON.stringify(value)}; it must be a number >= ${min}`,
    );
  }
  return value;
}

/**
 * A percentile is a number, or lies above the timeout: ">5000000", {"above_timeout":true}, or null
 * in a group that says so with "above_timeout": true or ["p99", …].
 * Returns {us, above}, or null when absent. `us` is null when only "above" is known.
 */
function percentileAt(file, group, name) {
  const value = group[name];
  const field = `${group.field}.${name}`;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) {
    return {us: value, above: false};
  }
  if (typeof value === 'string') {
    const match = /^\s*>\s*(\d+(?:\.\d+)?)\s*$/.exec(value);
    if (match) return {us: Number(match[1]), above: true};
  }
  if (value && typeof value === 'object' && value.above_timeout === true) {
    return {us: typeof value.us === 'number' ? value.us : null, above: true};
  }
  if (value === null || value === undefined) {
    const marker = group.above_timeout;
    const above = marker === true || (Array.isArray(marker) && marker.includes(name));
    return above && value === null ? {us: null, above: true} : null;
  }
  throw new InputError(
    `${file}: field '${field}' is ${JSON.stringify(value)}; it must be a number ` +
      `of microseconds, null, or ">N" for above the timeout`,
  );
}

function percentilesAt(file, summary, field) {
  const group = summary[field];
  if (group === undefined || group === null) return {};
  if (typeof group !== 'object' || Array.isArray(group)) {
    throw new InputError(`${file}: field '${field}' must be an object of percentiles`);
  }
  const named = {...group, field};
  return Object.fromEntries(PERCENTILES.map((name) => [name, percentileAt(file, named, name)]));
}

const OPTIONAL_FIGURES = [
  'offered_ops_per_s',
  'refused',
  'unknown',
  'unsent',
  'messages_per_op',
  'bytes_per_op',
  'elections',
  'false_elections',
  'unavailable_ms',
  'blockings',
  'blocked_ms',
];
const CONSISTENCY_FIGURES = [
  'lost',
  'superseded',
  'older_wins',
  'places',
  'stale_reads',
  'reads',
  'stale_ms_p99',
  'stale_ms_max',
  'stale_versions_p99',
  'stale_versions_max',
  'duplicates',
  'divergent_cells_max',
  'lag_max',
  'converged_ms',
];
/** Whether the events were those of the simulated run; null when there was none. */
function checkAsSimulated(file, value) {
  if (value === undefined || value === null) return null;
  if (typeof value.same_order !== 'boolean' || typeof value.text !== 'string') {
    throw new InputError(
      `${file}: field 'as_simulated' must be null or hold same_order (true or false) and text`,
    );
  }
  return {same_order: value.same_order, text: value.text};
}

const VERDICTS = ['pass', 'fail', 'not_promised', 'not_checked'];

function checkConsistency(file, consistency) {
  if (!VERDICTS.includes(consistency.verdict)) {
    throw new InputError(
      `${file}: field 'consistency.verdict' is ` +
        `${JSON.stringify(consistency.verdict)}; allowed: ${VERDICTS.join(', ')}`,
    );
  }
  const figures = CONSISTENCY_FIGURES.map((name) => {
    return [name, numberAt(file, consistency, name)];
  });
  return {verdict: consistency.verdict, ...Object.fromEntries(figures)};
}

/** Peak memory may be one number, a list, or one number a node; the report shows the largest. */
function largestRss(file, value) {
  if (value === undefined || value === null) return null;
  const numbers = typeof value === 'object' ? Object.values(value) : [value];
  for (const number of numbers) numberAt(file, {peak_rss_bytes: number}, 'peak_rss_bytes');
  return numbers.length ? Math.max(...numbers) : null;
}

/** How the warm-up was; null if that is not told. `steady` is null if it was not looked at. */
function checkWarmup(file, value) {
  if (value === undefined || value === null) return null;
  const at = (name) => numberAt(file, {warmup: value}, `warmup.${name}`, {required: true});
  const known = [true, false].includes(value.steady);
  return {
    asked_s: at('asked_s'),
    took_s: at('took_s'),
    steady: known ? value.steady : null,
    because: asText(value.unsteady_because),
  };
}

/** The latency in the simulator; null if it was not simulated. */
function checkSimulated(file, summary) {
  const p50 = numberAt(file, summary, 'simulated_latency_us.p50');
  return p50 === null ? null : {p50, p99: numberAt(file, summary, 'simulated_latency_us.p99')};
}

/** How a rate was found; null if none was searched for. */
function checkSearch(file, summary) {
  if (summary.search === undefined || summary.search === null) return null;
  const at = (name) => numberAt(file, summary, `search.${name}`, {required: true});
  return {
    objective: asText(summary.search.objective) ?? '',
    saturation_ops_per_s: at('saturation_ops_per_s'),
    rate_low: at('rate_low'),
    rate_high: at('rate_high'),
    confirmed: summary.search.confirmed === true,
  };
}

/** What the clients of each region saw; empty if they are nowhere in particular. */
function checkRegions(file, regions) {
  if (!Array.isArray(regions)) throw new InputError(`${file}: field 'regions' must be a list`);
  return regions.map((region, i) => {
    const name = asText(region?.name);
    if (name === null) throw new InputError(`${file}: field 'regions[${i}].name' is missing`);
    return {name, latency_us: percentilesAt(`${file}: regions[${i}]`, region, 'latency_us')};
  });
}

const NODE_FIGURES = [
  'cpu_s_per_mops',
  'user_s_per_mops',
  'system_s_per_mops',
  'messages_per_op',
  'voluntary_switches_per_op',
  'involuntary_switches_per_op',
  'written_bytes_per_op',
];

/** What each node cost; empty if that is not told. */
function checkCostByNode(file, nodes) {
  if (!Array.isArray(nodes)) throw new InputError(`${file}: field 'cost_by_node' must be a list`);
  return nodes.map((own, i) => {
    const where = `${file}: cost_by_node[${i}]`;
    const figures = NODE_FIGURES.map((name) => [name, numberAt(where, own, name)]);
    return {node: numberAt(where, own, 'node', {required: true}), ...Object.fromEntries(figures)};
  });
}

function checkSummary(file, summary) {
  const out = {
    achieved_ops_per_s: numberAt(file, summary, 'achieved_ops_per_s', {required: true}),
    completed: numberAt(file, summary, 'completed', {required: true}),
    latency_us: percentilesAt(file, summary, 'latency_us'),
    service_us: percentilesAt(file, summary, 'service_us'),
    cpu_nodes: numberAt(file, summary, 'cpu_s_per_mops.nodes'),
    cpu_clients: numberAt(file, summary, 'cpu_s_per_mops.clients'),
    cpu_system: numberAt(file, summary, 'cpu_s_per_mops.nodes_system'),
    switches_per_op: numberAt(file, summary, 'context_switches.voluntary_per_op'),
    forced_switches_per_op: numberAt(file, summary, 'context_switches.involuntary_per_op'),
    written_bytes_per_op: numberAt(file, summary, 'disk.written_bytes_per_op'),
    write_amplification: numberAt(file, summary, 'disk.write_amplification'),
    by_node: checkCostByNode(file, summary.cost_by_node ?? []),
    peak_rss_bytes: largestRss(file, summary.peak_rss_bytes),
    late_share: numberAt(file, summary, 'generator.late_share'),
    generator_cpu_share: numberAt(file, summary, 'generator.cpu_share'),
    ceiling_ops_per_s: numberAt(file, summary, 'generator.ceiling_ops_per_s'),
    own_share_p99: numberAt(file, summary, 'generator.latency_share.p99'),
    limited: summary.generator?.limited === true,
    limited_by: asText(summary.generator?.limited_by),
    warmup: checkWarmup(file, summary.warmup),
    simulated_us: checkSimulated(file, summary),
    search: checkSearch(file, summary),
    regions: checkRegions(file, summary.regions ?? []),
    as_simulated: checkAsSimulated(file, summary.as_simulated),
    consistency: checkConsistency(file, summary.consistency ?? {verdict: 'not_checked'}),
  };
  for (const name of OPTIONAL_FIGURES) out[name] = numberAt(file, summary, name);
  return out;
}

/** Text of a manifest's field that may be a string, a number, a list or an object. */
export function asText(value) {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(asText).join(' + ');
  if (typeof value === 'object') {
    if (typeof value.name === 'string') return value.name;
    return Object.entries(value)
      .map(([k, v]) => `${k}: ${asText(v)}`)
      .join('; ');
  }
  return String(value);
}

function checkManifest(file, manifest) {
  if (typeof manifest.algorithm !== 'string' || manifest.algorithm === '') {
    throw new InputError(`${file}: field 'algorithm' must name the strategy`);
  }
  const nodes = numberAt(file, manifest, 'nodes', {required: true, min: 1});
  if (!Number.isInteger(nodes)) {
    throw new InputError(`${file}: field 'nodes' is ${nodes}; it must be a whole number >= 1`);
  }
  for (const name of ['duration_s', 'warmup_s', 'repetition', 'clients']) {
    numberAt(file, manifest, name);
  }
  return manifest;
}

function splitLine(line) {
  return line
    .replace(/\r$/, '')
    .split(',')
    .map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

/** A CSV file as an array of objects; null when there is none. Empty cells become null. */
function readCsv(file, required) {
  if (!existsSync(file)) return null;
  const lines = readText(file).split('\n');
  const header = splitLine(lines[0]);
  const absent = required.filter((column) => !header.includes(column));
  if (absent.length > 0) {
    throw new InputError(
      `${file}:1: column '${absent[0]}' is missing; ` +
        `the header must hold ${required.join(',')}`,
    );
  }
  const rows = [];
  for (let i = 1; i < lines.length; i += 1) {
    if (lines[i].trim() === '') continue;
    const cells = splitLine(lines[i]);
    if (cells.length !== header.length) {
      throw new InputError(
        `${file}:${i + 1}: ${cells.length} cells; the header has ${header.length}`,
      );
    }
    rows.push(
      Object.fromEntries(
        header.map((column, at) => {
          return [column, readCell(`${file}:${i + 1}`, column, cells[at])];
        }),
      ),
    );
  }
  return rows;
}

function readCell(where, column, cell) {
  if (cell === '') return null;
  if (TEXT_COLUMNS.has(column)) return cell;
  if (/^>\s*\d+(\.\d+)?$/.test(cell)) return Infinity;
  const value = Number(cell);
  if (Number.isNaN(value)) {
    throw new InputError(`${where}: column '${column}' is '${cell}'; it must be a number or empty`);
  }
  return value;
}

function requireValues(file, rows, columns) {
  rows?.forEach((row, at) => {
    for (const column of columns) {
      if (row[column] === null) {
        throw new InputError(`${file}: row ${at + 1}: column '${column}' is empty`);
      }
    }
  });
  return rows;
}

/** Events in the order of time; null without the file. */
function readEvents(file) {
  const events = requireValues(file, readCsv(file, EVENT_COLUMNS), ['t_ms', 'event']);
  events?.forEach(({event}, at) => {
    if (!EVENTS.includes(event)) {
      throw new InputError(
        `${file}: row ${at + 1}: column 'event' is '${event}'; allowed: ${EVENTS.join(', ')}`,
      );
    }
  });
  return events;
}

/** A file of which every cell of these columns has a value; null without the file. */
function readWhole(file, columns, required = columns) {
  return requireValues(file, readCsv(file, columns), required);
}

/** Reads one run's folder. Throws InputError when what is there is malformed. */
function readRun(sweep, name, dir) {
  const file = (leaf) => join(dir, leaf);
  const manifest = checkManifest(file('manifest.json'), readJson(file('manifest.json')));
  const summary = checkSummary(file('summary.json'), readJson(file('summary.json')));
  const timeline = readWhole(file('timeline.csv'), TIMELINE_COLUMNS, ['t_ms', 'completed']);
  const faults = readWhole(file('faults.csv'), FAULT_COLUMNS, ['fault', 'injected_ms']);
  const histogram = readWhole(file('histogram.csv'), HISTOGRAM_COLUMNS);
  const absent = ['timeline.csv', 'faults.csv', 'histogram.csv'].filter(
    (f) => !existsSync(file(f)),
  );
  return {
    id: `${sweep}/${name}`,
    sweep,
    name,
    manifest,
    summary,
    timeline,
    faults,
    events: readEvents(file('events.csv')),
    simulated: readEvents(file('simulated.csv')),
    nodeRows: readWhole(file('nodes.csv'), NODE_COLUMNS),
    staleness: readWhole(file('staleness.csv'), STALENESS_COLUMNS),
    visibility: readWhole(
      file('visibility.csv'),
      VISIBILITY_COLUMNS,
      VISIBILITY_COLUMNS.slice(0, 4),
    ),
    histogram,
    absent,
  };
}

function isRunFolder(dir) {
  return existsSync(join(dir, 'manifest.json'));
}

function subfolders(dir) {
  return readdirSync(dir, {withFileTypes: true})
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function checkSweep(file, sweep) {
  if (sweep.runs !== undefined && !Array.isArray(sweep.runs)) {
    throw new InputError(`${file}: field 'runs' must be a list`);
  }
  for (const [at, run] of (sweep.runs ?? []).entries()) {
    if (typeof run?.name !== 'string' || run.name === '') {
      throw new InputError(`${file}: field 'runs[${at}].name' must be the name of a run's folder`);
    }
    if (run.state !== undefined && !STATES.includes(run.state)) {
      throw new InputError(
        `${file}: field 'runs[${at}].state' is ${JSON.stringify(run.state)}; ` +
          `allowed: ${STATES.join(', ')}`,
      );
    }
  }
  return sweep;
}

/** Reads a sweep's folder into `into`: its runs, and what is missing with the reason. */
function readSweep(dir, into) {
  const name = basename(dir);
  const stated = join(dir, 'sweep.json');
  const sweep = existsSync(stated) ? checkSweep(stated, readJson(stated)) : {};
  const states = new Map((sweep.runs ?? []).map((run) => [run.name, run.state ?? 'done']));
  for (const folder of subfolders(dir)) {
    if (isRunFolder(join(dir, folder)) && !states.has(folder)) states.set(folder, 'done');
  }
  into.sweeps.push({name, spec: sweep.spec ?? null, planned: states.size});
  for (const [run, state] of states) {
    const missing = (why) => into.missing.push({sweep: name, name: run, state, why});
    const folder = join(dir, run);
    if (relative(dir, folder).startsWith('..')) {
      throw new InputError(`${stated}: run '${run}' lies outside the sweep's folder`);
    }
    if (state !== 'done') {
      missing(state);
    } else if (!isRunFolder(folder)) {
      missing('no manifest.json');
    } else if (!existsSync(join(folder, 'summary.json'))) {
      missing('no summary.json');
    } else {
      into.runs.push(readRun(name, run, folder));
    }
    if (into.runs.length > MAX_RUNS) throw new InputError(`more than ${MAX_RUNS} runs`);
  }
}

/**
 * Reads result folders: of a sweep, of one run, or one that holds sweeps.
 * Returns {sweeps: [{name, spec, planned}], runs: [...], missing: [{sweep, name, state, why}]}.
 */
export function readResults(dirs) {
  const results = {sweeps: [], runs: [], missing: [], scaling: []};
  const seen = new Set();
  for (const given of dirs) {
    const dir = resolve(given);
    if (seen.has(dir)) continue;
    seen.add(dir);
    if (!existsSync(dir) || !statSync(dir).isDirectory()) {
      throw new InputError(`${given}: no such folder of results`);
    }
    readFolder(dir, given, results);
    const scaling = join(dir, 'scaling.csv');
    const rows = requireValues(scaling, readCsv(scaling, SCALING_COLUMNS), SCALING_COLUMNS);
    for (const row of rows ?? []) {
      const nodes = Number(row.nodes);
      if (!Number.isInteger(nodes) || nodes < 1) {
        throw new InputError(`${scaling}: column 'nodes' is '${row.nodes}'; it must be a number >= 1`);
      }
      results.scaling.push({...row, algorithm: [row.algorithm, row.options].filter(Boolean).join(', '), nodes});
    }
  }
  if (results.runs.every((run) => run.manifest.baseline === true)) {
    throw new InputError(
      `${dirs.join(', ')}: no finished run (a folder with manifest.json and ` +
        `summary.json); ${results.missing.length} are failed or pending`,
    );
  }
  return results;
}

function readFolder(dir, given, results) {
  if (isRunFolder(dir)) {
    if (!existsSync(join(dir, 'summary.json'))) {
      throw new InputError(`${given}: summary.json is missing: the run did not end`);
    }
    const sweep = basename(resolve(dir, '..'));
    results.sweeps.push({name: sweep, spec: null, planned: 1});
    results.runs.push(readRun(sweep, basename(dir), dir));
    return;
  }
  const isSweep = (d) =>
    existsSync(join(d, 'sweep.json')) || subfolders(d).some((f) => isRunFolder(join(d, f)));
  const sweeps = isSweep(dir)
    ? [dir]
    : subfolders(dir)
        .map((f) => join(dir, f))
        .filter(isSweep);
  if (sweeps.length === 0) {
    throw new InputError(`${given}: holds neither sweep.json nor a run's folder`);
  }
  for (const sweep of sweeps) readSweep(sweep, results);
}
