// What one operation costs: CPU of nodes and clients, messages, bytes.

import {bySetting, cells, cpuTotal, medianOf} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {isNumber} from '../format.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {errorBars, MAX_SETTINGS, styleOf} from './style.mjs';

const NAME = 'cost-per-operation';
const TITLE = 'CPU, messages and bytes per operation';
const LABELS = 150;
const MEASURES = [
  [
    'cpu',
    'CPU-s per million operations',
    [
      ['nodes', (s) => s.cpu_nodes],
      ['clients', (s) => s.cpu_clients],
    ],
  ],
  ['messages', 'messages per operation', [['messages', (s) => s.messages_per_op]]],
  ['bytes', 'bytes per operation', [['bytes', (s) => s.bytes_per_op]]],
];
const TOTALS = {cpu: cpuTotal, messages: (s) => s.messages_per_op, bytes: (s) => s.bytes_per_op};

function label(run) {
  const load = run.load.label.replace(' offered', '').replace(' in flight', ' out');
  return `${run.algorithm} ${run.nodes} @ ${load}`;
}

const FIELDS = [
  'cpu_nodes_s_per_mops',
  'cpu_clients_s_per_mops',
  'messages_per_op',
  'bytes_per_op',
];

function rowsOf(setting) {
  return setting.runs.map((run) => ({
    at: label(run),
    setting: setting.title,
    algorithm: run.algorithm,
    nodes: run.nodes,
    load: run.load.label,
    repetition: run.repetition,
    cpu_nodes_s_per_mops: run.summary.cpu_nodes,
    cpu_clients_s_per_mops: run.summary.cpu_clients,
    messages_per_op: run.summary.messages_per_op,
    bytes_per_op: run.summary.bytes_per_op,
    run: run.id,
  }));
}

function barsOf(runs, parts) {
  return cells(runs).flatMap((cell) => {
    let base = 0;
    return parts.flatMap(([part, pick]) => {
      const value = medianOf(cell, (run) => pick(run.summary));
      if (!isNumber(value)) return [];
      base += value;
      return [
        {
          at: label(cell[0]),
          algorithm: cell[0].algorithm,
          nodes: cell[0].nodes,
          part,
          value,
          low: base - value,
          high: base,
        },
      ];
    });
  });
}

function labelAxis(order) {
  return {
    field: 'at',
    type: 'ordinal',
    scale: {domain: order, paddingInner: 0.34},
    axis: {
      title: null,
      minExtent: LABELS,
      maxExtent: LABELS,
      labelLimit: LABELS - 8,
      domain: false,
    },
  };
}

function barLayer(bars, model, y, scale) {
  const names = model.algorithms;
  const range = names.map((algorithm) => styleOf(model, {algorithm, nodes: 3}).color);
  const axis = {title: null, tickCount: 4, grid: true};
  return {
    data: {values: bars},
    mark: {type: 'bar'},
    encoding: {
      y,
      color: {field: 'algorithm', type: 'nominal', legend: null, scale: {domain: names, range}},
      opacity: {condition: {test: "datum.part === 'clients'", value: 0.4}, value: 0.95},
      x: {field: 'low', type: 'quantitative', scale, axis},
      x2: {field: 'high'},
      tooltip: [{field: 'at'}, {field: 'part'}, {field: 'value', title: 'median', format: ',.4~f'}],
    },
  };
}

function panelSpec(model, runs, [measure, , parts], order, top) {
  const y = labelAxis(order);
  const scale = {domain: [0, top * 1.06], nice: false};
  const points = runs.map((run) => {
    const {series, id} = run;
    return {at: label(run), series, run: id, value: TOTALS[measure](run.summary)};
  });
  const medians = summarized(points, (row) => row.at, ['value']);
  const x = {field: 'value', type: 'quantitative', scale};
  const dots = {
    data: {values: points},
    mark: {type: 'point', shape: 'circle', size: 16, filled: true, color: '@ink', opacity: 0.65},
    encoding: {
      y,
      x,
      tooltip: [{field: 'run'}, {field: 'value', format: ',.4~f'}],
    },
  };
  const bars = errorBars(medians, {x, y, along: 'x', mark: {color: '@ink'}});
  return {layer: [barLayer(barsOf(runs, parts), model, y, scale), ...bars, dots]};
}

/** Builds the figure; absent when no steady run has any of the three figures. */
export function costPerOperation(model) {
  const settings = bySetting(model.steady).slice(0, MAX_SETTINGS);
  const panels = settings.flatMap((setting) =>
    MEASURES.flatMap((measure) => {
      const has = (run) => isNumber(TOTALS[measure[0]](run.summary));
      const runs = setting.runs.filter(has);
      if (runs.length === 0) return [];
      const order = [...new Set(setting.runs.map(label))];
      const top = Math.max(
        ...model.steady.filter(has).map((run) => TOTALS[measure[0]](run.summary)),
      );
      return [
        {
          title: measure[1],
          subtitle: setting.title || undefined,
          rows: [
            {
              height: Math.max(40, 20 * order.length),
              spec: panelSpec(model, runs, measure, order, top),
            },
          ],
        },
      ];
    }),
  );
  if (panels.length === 0) {
    return {
      name: NAME,
      title: TITLE,
      absent: 'no run without faults states CPU, messages or bytes per operation',
    };
  }
  const runs = settings.flatMap((setting) => setting.runs);
  const data = bySetting(model.steady).flatMap(rowsOf);
  const medians = summarized(data, (row) => `${row.setting}\u0001${row.at}`, FIELDS);
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(runs),
    panels,
    minPanel: 300,
    maxColumns: 3,
    yExtent: LABELS,
    data,
    medians,
    legend: [
      {label: 'nodes', mark: 'bar', color: '@muted', opacity: 0.95},
      {label: 'clients', mark: 'bar', color: '@muted', opacity: 0.4},
      {label: 'each repetition', mark: 'point', shape: 'circle', color: '@ink'},
    ],
    caption:
      'Bars are medians over repetitions, points the repetitions. CPU is that of the measured ' +
      'window: dark for all nodes together, pale for the clients. "@" names the load: offered ' +
      `operations a second, or operations in flight ("out").${intervalText(medians)}`,
  };
}
