// How simulated clusters of a strategy that merges fare as they grow: rounds until all agree after
// a partition, bytes that a node sends, and messages that leave a region. Options that are not the
// defaults are another strategy here: "gossip_lww, region_size 32".

import {isNumber, list} from '../format.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {algorithmScales, errorBars, logDomain, logTicks, styleOf} from './style.mjs';

const MEASURES = [
  ['rounds', 'rounds of exchange until all agree after healing', 'linear'],
  ['bytes_to_agree', 'bytes a node sends until then', 'log'],
  ['idle_bytes_per_s', 'bytes a node sends in a second when all agree', 'log'],
  ['crossings_per_write', 'messages of a write between regions of 32', 'log'],
];

const FIELDS = [...MEASURES.map(([measure]) => measure), 'promised_rounds'];

/** The seeds of a size together; they are the repetitions here. */
function mediansOf(rows) {
  return summarized(rows, (row) => `${row.algorithm} ${row.nodes}`, FIELDS).map((row) => {
    const {seed: _seed, ...others} = row;
    return others;
  });
}

function scaleOf(values, kind) {
  if (kind === 'linear') return {scale: {domain: [0, Math.max(...values) * 1.12], nice: false}};
  const domain = logDomain(values);
  return {scale: {type: 'log', domain, nice: false}, ticks: logTicks(domain)};
}

/** Those whose options are not the defaults need a look, too. */
const withNames = (model, names) => ({...model, algorithms: [...new Set([...model.algorithms, ...names])]});

function panelSpec(model, all, [measure, title, kind]) {
  const names = [...new Set(all.map((row) => row.algorithm))];
  const rows = all.filter((row) => isNumber(row[measure]) && (kind === 'linear' || row[measure] > 0));
  const {color, shape} = algorithmScales(withNames(model, names), names);
  const sizes = [...new Set(rows.map((row) => row.nodes))].sort((a, b) => a - b);
  const promised = measure === 'rounds' ? rows.map((row) => row.promised_rounds) : [];
  const {scale, ticks} = scaleOf([...rows.map((row) => row[measure]), ...promised], kind);
  const x = {
    field: 'nodes',
    type: 'quantitative',
    scale: {type: 'log', domain: logDomain(sizes), nice: false},
    axis: {values: sizes, format: 'd', title: 'nodes'},
  };
  const axis = {title: null, minExtent: 44, maxExtent: 44, format: kind === 'log' ? '~s' : '~f'};
  const y = {
    field: measure,
    type: 'quantitative',
    scale,
    axis: ticks ? {...axis, values: ticks} : {...axis, tickCount: 5},
  };
  const tooltip = [
    {field: 'algorithm', title: 'strategy'},
    {field: 'nodes', title: 'nodes'},
    {field: measure, title, format: ',.3~f'},
    {field: 'seed', title: 'seed'},
  ];
  const medians = mediansOf(rows);
  const layer = [
    ...errorBars(medians, {x, y, color}),
    {
      data: {values: medians},
      mark: {type: 'line', strokeWidth: 2.2, opacity: 0.9},
      encoding: {x, y, color},
    },
    {
      data: {values: rows},
      mark: {type: 'point', filled: true, size: 50, opacity: 0.75},
      encoding: {x, y, color, shape, tooltip},
    },
  ];
  if (promised.length > 0) {
    layer.unshift({
      data: {values: medians},
      mark: {type: 'line', strokeWidth: 1.5, strokeDash: [4, 4], opacity: 0.7},
      encoding: {x, y: {...y, field: 'promised_rounds'}, color},
    });
  }
  return {layer};
}

/** Builds the figure from the rows of scaling.csv; there is at least one. */
export function scaling(model) {
  const rows = model.scaling;
  const medians = mediansOf(rows);
  const names = [...new Set(rows.map((row) => row.algorithm))];
  const sizes = [...new Set(rows.map((row) => row.nodes))].sort((a, b) => a - b);
  return {
    name: 'scaling',
    title: 'Simulated clusters as they grow',
    conditions: `${list(sizes.map(String))} nodes, simulated; links of 30 to 200 µs; 100 operations a second in all`,
    legend: names.map((algorithm) => {
      return {label: algorithm, mark: 'line', ...styleOf(withNames(model, names), {algorithm, nodes: 3})};
    }),
    panels: MEASURES.filter(([measure]) => rows.some((row) => row[measure] > 0)).map((measure) => {
      return {title: measure[1], rows: [{height: 220, spec: panelSpec(model, rows, measure)}]};
    }),
    minPanel: 300,
    maxColumns: 2,
    yExtent: 44,
    data: rows,
    medians,
    caption:
      'A cluster takes writes, falls into two halves for three seconds in which both take writes, and heals. ' +
      'Dashed: the rounds that the strategy promises, which grow with log2 of the nodes. Bytes are those of ' +
      `its messages, without what frames them. Every seed is a point; lines join the medians.${intervalText(medians)}`,
  };
}
