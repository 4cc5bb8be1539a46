// Latency against achieved throughput: where each strategy stops carrying what it is offered.

import {bySetting} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {pointLabels} from './point_labels.mjs';
import {
  MAX_SETTINGS,
  SHORT_NUMBER,
  errorBars,
  logDomain,
  logTicks,
  panelTitle,
  seriesLegend,
  seriesScales,
} from './style.mjs';

const NAME = 'latency-throughput';
const TITLE = 'Latency against achieved throughput';
const SHOWN = ['p50', 'p99'];
const HEIGHT = 260; // of a panel

function pointsOf(setting) {
  return setting.runs
    .flatMap((run) =>
      SHOWN.map((name) => {
        const p = run.summary.latency_us[name];
        return {
          series: run.series,
          setting: setting.title,
          load: run.load.label,
          load_value: run.load.value,
          repetition: run.repetition,
          percentile: name,
          achieved_ops_per_s: run.summary.achieved_ops_per_s,
          latency_ms: p && p.us !== null ? p.us / 1e3 : null,
          above_timeout: p?.above === true,
          generator_limited: run.summary.limited,
          run: run.id,
        };
      }),
    )
    .filter((row) => row.latency_ms !== null && row.latency_ms > 0 && row.achieved_ops_per_s > 0);
}

/**
 * One point a load, in the order of the loads: the medians over repetitions. A percentile above the
 * timeout is endless; a median of such is not drawn, and their interval has no upper end.
 */
function mediansOf(points) {
  const endless = points.map((row) => ({
    ...row,
    latency_ms: row.above_timeout ? Infinity : row.latency_ms,
  }));
  const key = (row) => [row.setting, row.percentile, row.series, row.load].join('\u0001');
  return summarized(endless, key, ['achieved_ops_per_s', 'latency_ms'])
    .filter((row) => row.latency_ms !== null)
    .map(({above_timeout: _above, generator_limited: _limited, ...row}) => row);
}

/** Series with one load only: they have no line, so their name stands beside their point. */
function lonely(lines) {
  return lines.filter((row) => lines.filter((other) => other.series === row.series).length === 1);
}

function xAxis(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale =
    high / low > 12
      ? {type: 'log', domain: logDomain(values)}
      : {domain: [0, high * 1.04], nice: true};
  const axis = {title: 'achieved throughput (operations/s)', labelExpr: SHORT_NUMBER, tickCount: 5};
  if (scale.type === 'log') axis.values = logTicks(scale.domain);
  return {field: 'achieved_ops_per_s', type: 'quantitative', scale, axis};
}

function panelSpec(points, lines, scales, x, y) {
  const tooltip = [
    {field: 'series', title: 'series'},
    {field: 'load', title: 'load'},
    {field: 'achieved_ops_per_s', title: 'achieved (ops/s)', format: ',.0f'},
    {field: 'latency_ms', title: 'latency (ms)', format: ',.3~f'},
    {field: 'repetition', title: 'repetition'},
    {field: 'run', title: 'run'},
  ];
  const {color, shape, size, strokeDash} = scales;
  const dot = (filter, mark, encoding = {}) => ({
    data: {values: points},
    transform: [{filter}],
    mark: {type: 'point', strokeWidth: 1.6, ...mark},
    encoding: {x, y, color, shape, size, tooltip, ...encoding},
  });
  return {
    layer: [
      ...errorBars(lines, {x, y, color}),
      ...errorBars(lines, {x, y, color, along: 'x'}),
      {
        data: {values: lines},
        mark: {type: 'line', strokeWidth: 2.2, opacity: 0.9},
        encoding: {
          x,
          y,
          color,
          strokeDash,
          detail: {field: 'series'},
          order: {field: 'load_value', type: 'quantitative'},
        },
      },
      dot('!datum.above_timeout && !datum.generator_limited', {filled: true, opacity: 0.75}),
      dot('!datum.above_timeout && datum.generator_limited', {filled: false, opacity: 1}),
      dot(
        'datum.above_timeout',
        {filled: false, shape: 'arrow', size: 220, opacity: 1},
        {shape: undefined, size: undefined},
      ),
      ...pointLabels(lonely(lines), {x, y, color, height: HEIGHT}),
    ],
  };
}

/** Builds the figure; {name, title, absent} when no steady run has both figures. */
export function latencyThroughput(model) {
  const runs = model.steady;
  const all = bySetting(runs).map((setting) => ({...setting, points: pointsOf(setting)}));
  const points = all.flatMap((setting) => setting.points);
  if (points.length === 0) {
    return {name: NAME, title: TITLE, absent: 'no run without faults has p50 or p99 latency'};
  }
  const settings = all.slice(0, MAX_SETTINGS);
  const medians = all.flatMap((setting) => mediansOf(setting.points));
  const scales = seriesScales(model, runs);
  const x = xAxis(points.map((row) => row.achieved_ops_per_s));
  const domain = logDomain(points.map((row) => row.latency_ms));
  const y = {
    field: 'latency_ms',
    type: 'quantitative',
    scale: {type: 'log', domain},
    axis: {title: null, values: logTicks(domain), format: '~g', minExtent: 44, maxExtent: 44},
  };
  const panels = settings.flatMap((setting) =>
    SHOWN.map((name) => {
      const own = setting.points.filter((row) => row.percentile === name);
      const lines = mediansOf(own).filter((row) => Number.isFinite(row.latency_ms));
      return {
        ...panelTitle(`${name} latency (ms, log)`, setting),
        rows: [{height: HEIGHT, spec: panelSpec(own, lines, scales, x, y)}],
      };
    }),
  );
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(runs),
    legend: seriesLegend(model, runs),
    panels,
    minPanel: 320,
    maxColumns: 2,
    yExtent: 44,
    data: points,
    medians,
    caption: caption(points, settings, all) + intervalText(medians),
  };
}

function caption(points, settings, all) {
  const parts = [
    'Latency runs from the moment an operation was meant to be sent, so queueing is part of it. ' +
      'Every repetition is a point; lines join the medians of each load.',
  ];
  if (points.some((row) => row.generator_limited)) {
    parts.push('Hollow points: the load generator, not the strategy, was the limit.');
  }
  if (points.some((row) => row.above_timeout)) {
    parts.push('Arrows: the percentile lies above the timeout, drawn at the timeout.');
  }
  if (all.length > settings.length) parts.push(`${all.length - settings.length} further settings are not drawn.`);
  return parts.join(' ');
}
