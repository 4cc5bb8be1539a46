// The latency distribution with a tail that can be read: percentiles on a 1/(1-q) scale.

import {bySetting, cells, loads} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {MAX_SETTINGS, logDomain, logTicks, seriesLegend, seriesScales} from './style.mjs';

const NAME = 'latency-distribution';
const TITLE = 'Latency distribution';
const MAX_PANELS = 9;
const FURTHEST = 1e4;
const STEPS_PER_DECADE = 16;
const PERCENT = "format(100 * (1 - 1 / datum.value), '~r')";

/** 1/(1-q) at which distributions are read: 1, 2, 10, 100 … are among them. */
const RANKS = (() => {
  const ranks = new Set([2]);
  for (let i = 0; i <= 4 * STEPS_PER_DECADE; i += 1) {
    ranks.add(Number((10 ** (i / STEPS_PER_DECADE)).toPrecision(6)));
  }
  return [...ranks].sort((a, b) => a - b);
})();

/**
 * Reads a histogram at RANKS. Operations without an answer (unknown, unsent) belong to the
 * distribution: they lie above everything, so the curve ends where they begin.
 */
export function quantiles(histogram, unanswered) {
  const rows = histogram
    .filter((row) => row.count > 0)
    .sort((a, b) => a.latency_us_high - b.latency_us_high);
  const answered = rows.reduce((sum, row) => sum + row.count, 0);
  const total = answered + unanswered;
  const out = [];
  let at = 0;
  let below = rows.length ? rows[0].count : 0;
  for (const rank of RANKS) {
    if (rank > total) break;
    const wanted = Math.max(1, Math.ceil(total * (1 - 1 / rank) - 1e-9));
    while (below < wanted && at + 1 < rows.length) {
      at += 1;
      below += rows[at].count;
    }
    if (below < wanted || rows.length === 0) break;
    out.push({rank, latency_ms: rows[at].latency_us_high / 1e3});
  }
  return out;
}

function curvesOf(cell) {
  const runs = cell.filter((run) => run.histogram !== null);
  const each = runs.flatMap((run) => {
    const unanswered = (run.summary.unknown ?? 0) + (run.summary.unsent ?? 0);
    return quantiles(run.histogram, unanswered).map((point) => ({...point, run}));
  });
  const row = ({rank, latency_ms: latency, run}) => ({
    series: run.series,
    load: run.load.label,
    repetition: run.repetition,
    percentile: Number((100 * (1 - 1 / rank)).toPrecision(8)),
    rank,
    latency_ms: latency,
    run: run.id,
  });
  const rows = each.map(row);
  // Where a curve of a repetition has ended, there is no median of all.
  const middle = summarized(rows, (point) => point.rank, ['latency_ms']).filter((point) => {
    return point.repetitions === runs.length;
  });
  return {each: rows, middle};
}

function panelSpec(curves, scales, y) {
  const x = {
    field: 'rank',
    type: 'quantitative',
    scale: {type: 'log', domain: [1, FURTHEST]},
    axis: {
      values: [2, 10, 100, 1000, 10000],
      labelExpr: PERCENT,
      title: 'percentile (%)',
      grid: true,
      labelFlush: true,
      labelOverlap: 'greedy',
    },
  };
  const {color, strokeDash} = scales;
  const tooltip = [
    {field: 'series'},
    {field: 'percentile', format: '.6~g'},
    {field: 'latency_ms', title: 'latency (ms)', format: ',.3~f'},
  ];
  const slim = (rows) =>
    rows.map(({series, percentile, rank, latency_ms: ms, repetition}) => {
      return {series, percentile, rank, latency_ms: Number(ms.toPrecision(5)), repetition};
    });
  const round = (ms) => Number(ms.toPrecision(5));
  const middle = curves
    .flatMap((c) => c.middle)
    .map(({series, percentile, rank, ...point}) => ({
      series,
      percentile,
      rank,
      latency_ms_n: point.latency_ms_n,
      latency_ms: round(point.latency_ms),
      latency_ms_low: round(point.latency_ms_low),
      latency_ms_high: round(point.latency_ms_high),
    }));
  return {
    layer: [
      {
        data: {values: middle.filter((row) => row.latency_ms_n > 1)},
        mark: {type: 'area', opacity: 0.16},
        encoding: {
          x,
          y: {...y, field: 'latency_ms_low'},
          y2: {field: 'latency_ms_high'},
          color,
          detail: [{field: 'series'}],
        },
      },
      {
        data: {values: slim(curves.flatMap((c) => c.each))},
        mark: {type: 'line', strokeWidth: 0.9, opacity: 0.45, interpolate: 'step-before'},
        encoding: {x, y, color, detail: [{field: 'repetition'}]},
      },
      {
        data: {values: middle},
        mark: {type: 'line', strokeWidth: 2.2, interpolate: 'linear'},
        encoding: {x, y, color, strokeDash, detail: [{field: 'series'}]},
      },
      {
        data: {values: middle},
        transform: [{filter: {field: 'rank', oneOf: [2, 10, 100, 1000, 10000]}}],
        mark: {type: 'point', filled: true, opacity: 0.9},
        encoding: {x, y, color, shape: scales.shape, size: scales.size, tooltip},
      },
    ],
  };
}

function panelsOf(runs) {
  return bySetting(runs)
    .slice(0, MAX_SETTINGS)
    .flatMap((setting) => {
      return loads(setting.runs).map((load) => {
        const members = setting.runs.filter((run) => run.load.label === load.label);
        return {
          title: load.label,
          subtitle: setting.title,
          runs: members,
          curves: cells(members).map(curvesOf),
        };
      });
    });
}

/** Builds the figure; absent when no steady run has a histogram. */
export function distribution(model) {
  const runs = model.steady.filter((run) => run.histogram?.length);
  if (runs.length === 0) {
    return {name: NAME, title: TITLE, absent: 'no run without faults has a histogram.csv'};
  }
  const all = panelsOf(runs);
  const drawn = all.slice(0, MAX_PANELS);
  const data = all.flatMap((panel) => panel.curves.flatMap((c) => c.each));
  const medians = all.flatMap((panel) => panel.curves.flatMap((c) => c.middle));
  const scales = seriesScales(model, runs);
  const domain = logDomain(data.map((row) => row.latency_ms));
  const y = {
    field: 'latency_ms',
    type: 'quantitative',
    scale: {type: 'log', domain},
    axis: {title: null, values: logTicks(domain), format: '~g', minExtent: 44, maxExtent: 44},
  };
  const panels = drawn.map((panel) => ({
    title: `latency (ms, log) at ${panel.title}`,
    subtitle: panel.subtitle,
    rows: [{height: 240, spec: panelSpec(panel.curves, scales, y)}],
  }));
  const left = all.slice(MAX_PANELS).map((panel) => panel.title);
  const omitted = left.length ? ` In the data but not drawn: ${left.join('; ')}.` : '';
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(runs),
    legend: seriesLegend(model, runs),
    panels,
    minPanel: 300,
    maxColumns: 3,
    yExtent: 44,
    data,
    medians,
    caption:
      'Read it as: so many per cent of operations took at most so long. The horizontal axis ' +
      'gives every further nine the same room. Thin lines are repetitions, thick lines their ' +
      'medians. Operations without an answer lie above everything: where they begin, a curve ends; ' +
      `it also ends where there are too few operations to speak of a percentile.` +
      `${intervalText(medians, 'Bands')}${omitted}`,
  };
}
