// How a strategy looks, the same in every figure: a colour and a shape per strategy, a dash per node
// count. The colours derive from Okabe and Ito, "Color Universal Design" (2008).

import {isNumber} from '../format.mjs';

const KNOWN = {
  unreplicated: {color: '@unreplicated', shape: 'square'},
  raft: {color: '@raft', shape: 'circle'},
  bully_2pc: {color: '@bully_2pc', shape: 'triangle-up'},
  gossip_lww: {color: '@gossip_lww', shape: 'diamond'},
};
const OTHER_SHAPES = ['cross', 'triangle-down', 'triangle-right'];
const DASHES = new Map([
  [1, [2, 3]],
  [3, [1, 0]],
  [5, [7, 3]],
  [7, [2.5, 2.5]],
  [9, [9, 3, 2, 3]],
]);

/** Points grow with the cluster, so that series without a line can be told apart too. */
const sizeOf = (nodes) => 30 + 3.2 * Math.min(nodes, 9) ** 1.7;

/** The look of a series {algorithm, nodes} among all strategies of the report. */
export function styleOf(model, series) {
  const others = model.algorithms.filter((name) => !KNOWN[name]);
  const at = others.indexOf(series.algorithm) % OTHER_SHAPES.length;
  const look = KNOWN[series.algorithm] ?? {color: `@other${at}`, shape: OTHER_SHAPES[at]};
  return {
    ...look,
    size: sizeOf(series.nodes),
    dash: DASHES.get(series.nodes) ?? [9, 3, 2, 3, 2, 3],
  };
}

/** Encodings of colour and shape by the field `algorithm`. */
export function algorithmScales(model, names) {
  const looks = names.map((algorithm) => styleOf(model, {algorithm, nodes: 3}));
  const by = (range) => ({
    field: 'algorithm',
    type: 'nominal',
    legend: null,
    scale: {domain: names, range},
  });
  return {color: by(looks.map((look) => look.color)), shape: by(looks.map((look) => look.shape))};
}

/** The series that these runs belong to, in the report's order. */
export function seriesOf(model, runs) {
  const present = new Set(runs.map((run) => run.series));
  return model.series.filter((series) => present.has(series.label));
}

/** Legend items for series: a line with its dash and the strategy's shape. */
export function seriesLegend(model, runs) {
  return seriesOf(model, runs).map((series) => {
    return {label: series.label, mark: 'line', ...styleOf(model, series)};
  });
}

/** Encodings of colour, shape, size and dash by the field `series`. */
export function seriesScales(model, runs) {
  const series = seriesOf(model, runs);
  const domain = series.map((s) => s.label);
  const looks = series.map((s) => styleOf(model, s));
  const by = (range) => ({field: 'series', type: 'nominal', legend: null, scale: {domain, range}});
  return {
    color: by(looks.map((look) => look.color)),
    shape: by(looks.map((look) => look.shape)),
    size: {...by(), scale: {type: 'ordinal', domain, range: looks.map((look) => look.size)}},
    strokeDash: by(looks.map((look) => look.dash)),
  };
}

/** The label of a tick as "20 k", "1 M". */
export const SHORT_NUMBER =
  "datum.value >= 1e6 ? format(datum.value / 1e6, '~g') + ' M' : " +
  "datum.value >= 1e3 ? format(datum.value / 1e3, '~g') + ' k' : format(datum.value, '~g')";

/** A domain with a little room around the values, for a logarithmic axis. */
export function logDomain(values) {
  const known = values.filter((v) => Number.isFinite(v) && v > 0);
  if (known.length === 0) return [1, 10];
  return [Math.min(...known) / 1.3, Math.max(...known) * 1.3];
}

/** How many ticks of a decade there is room for, by the number of decades. */
function perDecade(decades) {
  if (decades > 3.6) return [1];
  if (decades > 1.3) return [1, 3];
  return decades > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
}

/** Ticks for a logarithmic domain: at round numbers, as many as there is room for. */
export function logTicks([from, to]) {
  const decades = Math.log10(to / from);
  const ticks = [];
  for (let e = Math.floor(Math.log10(from)); e <= Math.log10(to) + 1e-9; e += 1) {
    for (const m of perDecade(decades)) {
      const tick = Number(`${m}e${e}`);
      if (tick >= from * 0.999 && tick <= to * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

/** The axis of node counts, which are `counts`. */
export function nodesAxis(counts) {
  return {
    field: 'nodes',
    type: 'quantitative',
    scale: {
      domain: [Math.min(...counts) - 0.6, Math.max(...counts) + 0.6],
      nice: false,
      zero: false,
    },
    axis: {values: counts, format: 'd', title: 'nodes'},
  };
}

/**
 * The intervals of medians (rows of summarized()) as bars with caps: along y, or along x with
 * `along: 'x'`. Those of one value, and those without an end, have none.
 */
export function errorBars(medians, {x, y, color, along = 'y', mark = {}}) {
  const axis = along === 'y' ? y : x;
  const [low, high] = [`${axis.field}_low`, `${axis.field}_high`];
  const values = medians.filter((row) => {
    return row[`${axis.field}_n`] > 1 && isNumber(row[low]) && isNumber(row[high]);
  });
  const ends = {[along]: {...axis, field: low}, [`${along}2`]: {field: high}};
  const at = (field) => ({[along]: {...axis, field}});
  const cap = (field) => ({
    data: {values},
    mark: {type: 'tick', orient: along === 'y' ? 'horizontal' : 'vertical', thickness: 1.2, size: 7, ...mark},
    encoding: {x, y, color, ...at(field)},
  });
  return [
    {
      data: {values},
      mark: {type: 'rule', strokeWidth: 1.2, ...mark},
      encoding: {x, y, color, ...ends},
    },
    cap(low),
    cap(high),
  ];
}

/** The interval of medians over time as a band behind their line. */
export function intervalBand(medians, field, {x, y, color}) {
  return {
    data: {values: medians.filter((row) => row[`${field}_n`] > 1)},
    mark: {type: 'area', interpolate: 'step-after', clip: true, color, opacity: 0.16},
    encoding: {x, y: {...y, field: `${field}_low`}, y2: {field: `${field}_high`}},
  };
}

/** Every repetition as a point, and lines that join the medians (rows of summarized()). */
export function pointsOnMedians(rows, medians, size, {x, y, color, shape, tooltip, strokeDash}) {
  return {
    layer: [
      ...errorBars(medians, {x, y, color}),
      {
        data: {values: medians},
        mark: {type: 'line', strokeWidth: 2.2, opacity: 0.9},
        encoding: {x, y, color, ...(strokeDash ? {strokeDash} : {})},
      },
      {
        data: {values: rows},
        mark: {type: 'point', filled: true, size, opacity: 0.75},
        encoding: {x, y, color, shape, tooltip},
      },
    ],
  };
}

/** A title for a panel: its own name, and the setting's when there are several. */
export function panelTitle(name, setting) {
  return setting.title ? {title: name, subtitle: setting.title} : {title: name};
}

/** At most this many settings are drawn in one figure; the others are named in its caption. */
export const MAX_SETTINGS = 8;
