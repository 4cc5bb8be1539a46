// What figures over a condition of the runs have in common (how contended, how large the batches):
// runs that agree in everything else, at one load, and panels of a measure each.

import {isNumber, plural} from '../format.mjs';
import {bySetting, commonLoad, groupBy, percentileMs} from '../model.mjs';
import {summarized} from '../intervals.mjs';
import {SHORT_NUMBER, logDomain, logTicks, pointsOnMedians} from './style.mjs';

/**
 * Throughput and latency as [field, title, kind of scale, of a run]. A percentile above the timeout is
 * endless: it counts in medians, and is not drawn.
 */
export const SPEED = [
  ['achieved_ops_per_s', 'placements per second', 'linear', (s) => s.achieved_ops_per_s],
  ['p50_ms', 'p50 latency (ms, log)', 'log', (s) => percentileMs(s.latency_us.p50)],
  ['p99_ms', 'p99 latency (ms, log)', 'log', (s) => percentileMs(s.latency_us.p99)],
];

/**
 * The steady runs in groups that differ in nothing but strategy, node count and `keys` of the setting,
 * of each those at the load that most have: [{title, load, runs}]. Groups that `varies` denies are
 * left out.
 */
export function groupsOver(model, keys, varies) {
  return bySetting(model.steady, keys)
    .map(({title, runs}) => {
      const load = commonLoad(runs);
      return {title, load, runs: runs.filter((run) => run.load.label === load.label)};
    })
    .filter(({runs}) => varies(runs));
}

/** How many different values these runs have of a key of the setting. */
export const valuesOf = (runs, key) => new Set(runs.map((run) => run.setting[key])).size;

/** A row for each run of a group, with `more` of its own and these measures. */
export function rowsOver(group, measures, more) {
  return group.runs.map((run) => ({
    series: run.series,
    algorithm: run.algorithm,
    nodes: run.nodes,
    setting: group.title,
    load: group.load.label,
    ...more(run),
    ...Object.fromEntries(measures.map(([field, , , pick]) => [field, pick(run.summary)])),
    repetition: run.repetition,
    run: run.id,
  }));
}

/** The medians of rowsOver() by series and the condition `at`. */
export function mediansOver(rows, measures, at) {
  const key = (row) => [row.setting, row.load, row.series, ...at.map((field) => row[field])].join('\u0001');
  return summarized(
    rows,
    key,
    measures.map(([field]) => field),
  );
}

/** A sentence for a caption where one of `fields` of these rows of runs is endless; else ''. */
export function endlessText(rows, fields) {
  const runs = new Set(rows.filter((row) => fields.some((f) => row[f] === Infinity)).map((row) => row.run));
  if (runs.size === 0) return '';
  return (
    ` Not drawn: percentiles above the timeout, of ${plural(runs.size, 'run')}. They are endless in ` +
    'medians and intervals, which are drawn only where they end.'
  );
}

function scaleOf(values, kind) {
  const axis = {title: null, labelExpr: SHORT_NUMBER, minExtent: 44, maxExtent: 44};
  if (kind === 'linear') {
    const top = Math.max(...values);
    return {
      scale: {domain: [0, top > 0 ? top * 1.12 : 1], nice: false},
      axis: {...axis, tickCount: 5},
    };
  }
  const domain = logDomain(values);
  return {scale: {type: 'log', domain, nice: false}, axis: {...axis, values: logTicks(domain)}};
}

/**
 * A panel's row: one measure over the ordinal condition x, every run a point, lines for medians.
 * What is endless is not drawn. Null when no row has the measure. The axis spans `all` rows, so that panels can be compared.
 * @param looks encodings: color, shape, strokeDash
 */
export function rowOver({rows, medians, all}, [field, title, kind], {x, ...looks}) {
  const has = (row) => isNumber(row[field]) && (kind === 'linear' || row[field] > 0);
  const own = rows.filter(has);
  if (own.length === 0) return null;
  const values = all.filter(has).map((row) => row[field]);
  const y = {field, type: 'quantitative', ...scaleOf(values, kind)};
  const tooltip = [
    {field: 'series'},
    {field: x.field},
    {field, title, format: ',.3~f'},
    {field: 'load'},
    {field: 'run'},
  ];
  return {height: 190, spec: pointsOnMedians(own, medians.filter(has), 50, {x, y, tooltip, ...looks})};
}

/** The ordinal axis of a condition with these values, in their order; labels break at colons. */
export function conditionAxis(field, values, title) {
  const axis = {title, labelAngle: 0, labelExpr: "split(datum.label, ':')", labelOverlap: false};
  return {field, type: 'ordinal', scale: {domain: values}, axis};
}

/** Groups of rows that are drawn in panels of their own, by setting and load. */
export const panelsOf = (rows) => [
  ...groupBy(rows, (row) => `${row.setting}\u0001${row.load}`).values(),
];
