// What one more node costs: CPU and messages per operation over the node count, at one load.

import {bySetting, commonLoad, cpuTotal} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {isNumber, list} from '../format.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {
  algorithmScales,
  MAX_SETTINGS,
  nodesAxis,
  panelTitle,
  pointsOnMedians,
  styleOf,
} from './style.mjs';

const NAME = 'cost-nodes';
const TITLE = 'Cost over node count';
const MEASURES = [
  ['cpu', 'CPU-seconds per million operations', (s) => cpuTotal(s)],
  ['messages', 'messages per operation', (s) => s.messages_per_op],
];

function rowsOf(setting) {
  const load = commonLoad(setting.runs);
  const runs = setting.runs.filter((run) => run.load.label === load.label);
  return runs
    .flatMap((run) =>
      MEASURES.map(([measure, , pick]) => {
        return {
          measure,
          algorithm: run.algorithm,
          nodes: run.nodes,
          load: load.label,
          value: pick(run.summary),
          setting: setting.title,
          repetition: run.repetition,
          run: run.id,
        };
      }),
    )
    .filter((row) => isNumber(row.value));
}

function mediansOf(rows) {
  return summarized(rows, (row) => `${row.measure} ${row.algorithm} ${row.nodes}`, ['value']);
}

function panelSpec(rows, model, counts, top) {
  const names = model.algorithms;
  const {color, shape} = algorithmScales(model, names);
  const x = nodesAxis(counts);
  const y = {
    field: 'value',
    type: 'quantitative',
    scale: {domain: [0, top * 1.12], nice: false},
    axis: {title: null, tickCount: 5, minExtent: 44, maxExtent: 44},
  };
  const tooltip = [
    {field: 'algorithm', title: 'strategy'},
    {field: 'nodes', title: 'nodes'},
    {field: 'value', title: 'per operation', format: ',.3~f'},
    {field: 'load', title: 'load'},
    {field: 'run', title: 'run'},
  ];
  return pointsOnMedians(rows, mediansOf(rows), 50, {x, y, color, shape, tooltip});
}

/** Builds the figure; absent when fewer than two node counts were measured at one load. */
export function costNodes(model) {
  const settings = bySetting(model.steady).slice(0, MAX_SETTINGS);
  const drawn = settings
    .map((setting) => ({...setting, rows: rowsOf(setting)}))
    .filter((setting) => new Set(setting.rows.map((row) => row.nodes)).size > 1);
  if (drawn.length === 0) {
    return {
      name: NAME,
      title: TITLE,
      absent: 'fewer than two node counts were measured at the same load and setting',
    };
  }
  const data = drawn.flatMap((setting) => setting.rows);
  const ids = new Set(data.map((row) => row.run));
  const runs = model.steady.filter((run) => ids.has(run.id));
  const counts = [...new Set(data.map((row) => row.nodes))].sort((a, b) => a - b);
  const panels = drawn.flatMap((setting) =>
    MEASURES.flatMap(([measure, title]) => {
      const rows = setting.rows.filter((row) => row.measure === measure);
      if (rows.length === 0) return [];
      const top = Math.max(
        ...data.filter((row) => row.measure === measure).map((row) => row.value),
      );
      return [
        {
          ...panelTitle(title, setting),
          rows: [{height: 220, spec: panelSpec(rows, model, counts, top)}],
        },
      ];
    }),
  );
  const names = new Set(runs.map((run) => run.algorithm));
  const medians = drawn.flatMap((setting) => mediansOf(setting.rows));
  const legend = model.algorithms
    .filter((name) => names.has(name))
    .map((algorithm) => {
      return {label: algorithm, mark: 'line', ...styleOf(model, {algorithm, nodes: 3})};
    });
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(runs),
    legend,
    panels,
    minPanel: 300,
    maxColumns: 2,
    yExtent: 44,
    data,
    medians,
    caption: caption(drawn, runs, model) + intervalText(medians),
  };
}

function caption(drawn, runs, model) {
  const cores = [...new Set(runs.map((run) => run.manifest.host?.cores).filter(isNumber))];
  const shared =
    cores.length === 0
      ? 'All node processes and the clients share one machine'
      : `All node processes and the clients share ${list(cores.map(String))} cores`;
  const at = [...new Set(drawn.map((setting) => setting.rows[0].load))];
  const others = new Set(model.steady.map((run) => run.load.label));
  for (const label of at) others.delete(label);
  const rest = others.size ? ` Other loads measured: ${list([...others])}.` : '';
  return (
    `${shared}: this is cost, not scalability. CPU-seconds are of nodes and clients together. ` +
    `At ${list(at)}, the highest load that all carried (else the lowest measured for most).` +
    `${rest} Every repetition is a point; lines join the medians.`
  );
}
