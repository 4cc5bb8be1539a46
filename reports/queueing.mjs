// What a queue predicts from what messages cost: the model of Ailijiang, Charapko and Demirbas,
// "Dissecting the Performance of Strongly-Consistent Replication Protocols" (SIGMOD 2019, section 3).
// The busiest node handles so many messages an operation; what one takes of its processor, times
// their number, is the service time of a queue, and what goes over the network comes on top. Nothing
// here is a constant of a machine: messages and costs come from the runs.

import {asText} from './read.mjs';
import {bySetting, cells, groupBy, medianOf} from './model.mjs';
import {isNumber} from './format.mjs';
import {medianInterval} from './intervals.mjs';

/** Errors above this say what the model leaves out. */
export const LARGE_ERROR = 0.25;
const CARRIED = 0.95;
const MOST_FAILED = 0.01;

/**
 * The mean time in the queue of M/G/1, before the service begins (Pollaczek and Khinchine): `rate` in
 * one unit of time, the mean service time and the mean of its square. Infinity from saturation on.
 */
export function meanWait(rate, service, square) {
  const load = rate * service;
  return load >= 1 ? Infinity : (rate * square) / (2 * (1 - load));
}

/** M/D/1: every service takes the same. */
export const md1Wait = (rate, service) => meanWait(rate, service, service * service);
/** M/M/1: service times are exponential. */
export const mm1Wait = (rate, service) => meanWait(rate, service, 2 * service * service);

/** The mean latency of a run in seconds, from its histogram; null when too many did not end. */
export function meanLatency({histogram, summary}) {
  if (!histogram?.length) return null;
  const failed = ['refused', 'unknown', 'unsent'].reduce((n, name) => n + (summary[name] ?? 0), 0);
  const total = histogram.reduce((n, bin) => n + bin.count, 0);
  if (failed > MOST_FAILED * (total + failed)) return null;
  const sum = histogram.reduce((s, bin) => {
    return s + (bin.count * (bin.latency_us_low + bin.latency_us_high)) / 2;
  }, 0);
  return sum / total / 1e6;
}

/** The node that handles the most messages; null when that is not told. */
export function busiest(run) {
  const told = (run.summary.by_node ?? []).filter((own) => {
    return own.messages_per_op > 0 && own.cpu_s_per_mops > 0;
  });
  return told.reduce((a, b) => (a && a.messages_per_op >= b.messages_per_op ? a : b), null);
}

const isOpen = (run) => run.manifest.loop !== 'closed' && !run.summary.search;
const carried = (run) => run.summary.achieved_ops_per_s >= CARRIED * (run.summary.offered_ops_per_s ?? 0);
const rateOf = (cell) => medianOf(cell, (run) => run.summary.achieved_ops_per_s);

/** The cell with the highest rate of those that carried what was offered, else the lowest. */
function highestCarried(all) {
  const sorted = [...all].sort((a, b) => rateOf(a) - rateOf(b));
  const able = sorted.filter((cell) => cell.every(carried));
  return able.length ? able[able.length - 1] : sorted[0];
}

/** What two runs must have in common for one to show the saturation of the other. */
function conditionsOf(run) {
  const setting = Object.entries(run.setting).filter(([key]) => !['loop', 'clients'].includes(key));
  return [run.series, ...setting.map(([, value]) => value)].join('\u0001');
}

/** The saturation that runs of these conditions show: of a closed loop, a search, or not carried. */
function saturationOf(model, conditions) {
  const alike = model.steady.filter((run) => conditionsOf(run) === conditions);
  const most = Math.max(...alike.map((run) => run.summary.achieved_ops_per_s));
  const shown = alike.flatMap((run) => {
    const {search, achieved_ops_per_s: achieved} = run.summary;
    if (search) return [search.saturation_ops_per_s];
    // One operation in flight shows latency, not saturation. And where another run did more, one that
    // did not carry its load was disturbed.
    const full = run.manifest.loop === 'closed' && run.manifest.window >= 64;
    return full || (isOpen(run) && !carried(run) && achieved === most) ? [achieved] : [];
  });
  return shown.length ? Math.max(...shown) : null;
}

/**
 * Seconds of processor time that a message takes at the busiest node, measured where there are the
 * fewest nodes, at the highest rate that was carried there; and where that was.
 */
function messageCost(all) {
  const fewest = Math.min(...all.map((cell) => cell[0].nodes));
  const cell = highestCarried(all.filter((c) => c[0].nodes === fewest));
  const cost = medianOf(cell, (run) => {
    const own = busiest(run);
    return own.cpu_s_per_mops / 1e6 / own.messages_per_op;
  });
  return {cost, from: cell[0]};
}

/**
 * Seconds of the bottleneck that an operation takes: of the busiest node's one processor, or of all
 * processors of the host together, which nodes and clients share, whichever is more.
 */
function serviceOf(cell, cost) {
  const messages = medianOf(cell, (run) => busiest(run).messages_per_op);
  const all = medianOf(cell, (run) => run.summary.by_node.reduce((n, own) => n + (own.messages_per_op ?? 0), 0));
  const clients = medianOf(cell, (run) => run.summary.cpu_clients) ?? 0;
  const cores = cell[0].manifest.host?.cores ?? 1;
  const shared = (all * cost + clients / 1e6) / cores;
  const node = messages * cost;
  return node >= shared
    ? {service: node, messages, bottleneck: 'node'}
    : {service: shared, messages: all, bottleneck: 'host', cores, clients: clients / 1e6};
}

/** What a model of this kind cannot know, of the runs at hand. */
export function leftOut(run, bottleneck) {
  const parts = ['waking threads', 'a batch that grows with the load, so that an operation gets cheaper'];
  if (run.manifest.durability === 'group_commit') parts.push('waiting for the disk');
  if (run.manifest.options?.batch_interval_ms > 0) parts.push('waiting for a batch to fill');
  parts.push(
    bottleneck === 'host'
      ? 'that processes of one host wait for each other'
      : 'that a node has several threads',
  );
  return parts;
}

/** The model of one series in a setting, which has a title where there are several. */
function seriesModel(model, own, calibration, setting) {
  const sorted = [...own].sort((a, b) => rateOf(a) - rateOf(b));
  const [first] = sorted;
  const station = serviceOf(highestCarried(own), calibration.cost);
  const {service} = station;
  const least = medianOf(first, meanLatency);
  const base = Math.max(0, least - md1Wait(rateOf(first), service));
  const points = sorted.map((cell, at) => {
    const rate = rateOf(cell);
    const measured = medianOf(cell, meanLatency);
    const predicted = base + md1Wait(rate, service);
    const error = at > 0 && isNumber(measured) && isNumber(predicted) ? predicted / measured - 1 : null;
    const interval = medianInterval(cell.map(meanLatency));
    const {label: load} = cell[0].load;
    return {load, rate, measured, interval, predicted, error, calibrated: at === 0, runs: cell};
  });
  const saturation = saturationOf(model, conditionsOf(first[0]));
  const capacity = 1 / service;
  return {
    run: first[0],
    series: first[0].series,
    setting,
    from: calibration.from.series,
    cost: calibration.cost,
    ...station,
    base,
    points,
    capacity,
    saturation,
    capacityError: saturation === null ? null : capacity / saturation - 1,
  };
}

/** The models of all series that were measured at two rates or more and tell what nodes cost. */
export function queueModels(model) {
  const usable = model.steady.filter((run) => {
    return isOpen(run) && busiest(run) !== null && meanLatency(run) !== null;
  });
  // One node sends nothing to others: what its messages cost says little of those of a cluster.
  const alike = groupBy(usable, (run) => [run.settingId, run.algorithm, run.nodes > 1].join('\u0001'));
  const titles = new Map(bySetting(usable).map(({id, title}) => [id, title]));
  return [...alike.values()].flatMap((runs) => {
    const all = cells(runs);
    const setting = titles.get(runs[0].settingId);
    const calibration = messageCost(all);
    const bySeries = groupBy(all, (cell) => cell[0].series);
    return [...bySeries.values()]
      .filter((own) => own.length > 1)
      .map((own) => seriesModel(model, own, calibration, setting));
  });
}

/** Cells that tell what the simulator makes of their links: p50 in seconds, and the error. */
export function simulatedLatencies(model) {
  const told = model.steady.filter((run) => run.summary.simulated_us && run.summary.latency_us.p50);
  return cells(told).flatMap((cell) => {
    const measured = medianOf(cell, (run) => run.summary.latency_us.p50.us);
    const predicted = medianOf(cell, (run) => run.summary.simulated_us.p50);
    if (!(measured > 0)) return [];
    return [
      {
        run: cell[0],
        series: cell[0].series,
        links: asText(cell[0].manifest.links),
        load: cell[0].load.label,
        measured: measured / 1e6,
        interval: medianInterval(cell.map((run) => run.summary.latency_us.p50.us / 1e6)),
        predicted: predicted / 1e6,
        error: predicted / measured - 1,
        runs: cell,
      },
    ];
  });
}
