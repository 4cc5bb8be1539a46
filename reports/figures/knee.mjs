// The highest rate that meets a latency objective, beside the saturation throughput, over node count.

import {bySetting} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {isNumber, list} from '../format.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {algorithmScales, errorBars, MAX_SETTINGS, nodesAxis, panelTitle, styleOf} from './style.mjs';

const NAME = 'knee';
const TITLE = 'Highest rate that meets the objective';

/** Runs whose rate was searched for. */
export function searched(model) {
  return model.steady.filter((run) => isNumber(run.summary.search?.rate_low));
}

function rowsOf(setting) {
  return setting.runs.map((run) => {
    const {search} = run.summary;
    return {
      algorithm: run.algorithm,
      nodes: run.nodes,
      objective: search.objective,
      rate: search.rate_low,
      not_met_at: search.rate_high,
      saturation: search.saturation_ops_per_s,
      confirmed: search.confirmed ? 'yes' : 'no',
      setting: setting.title,
      repetition: run.repetition,
      run: run.id,
    };
  });
}

function mediansOf(rows) {
  const key = (row) => `${row.algorithm} ${row.nodes}`;
  return summarized(rows, key, ['rate', 'not_met_at', 'saturation']);
}

function panelSpec(rows, model, counts, top) {
  const {color, shape} = algorithmScales(model, model.algorithms);
  const x = nodesAxis(counts);
  const y = (field) => ({
    field,
    type: 'quantitative',
    scale: {domain: [0, top * 1.12], nice: false},
    axis: {title: null, format: '~s', tickCount: 5, minExtent: 44, maxExtent: 44},
  });
  const tooltip = [
    {field: 'algorithm', title: 'strategy'},
    {field: 'nodes', title: 'nodes'},
    {field: 'objective', title: 'objective'},
    {field: 'rate', title: 'met at', format: ',.0f'},
    {field: 'not_met_at', title: 'not met at', format: ',.0f'},
    {field: 'saturation', title: 'saturation', format: ',.0f'},
    {field: 'confirmed', title: 'met once more'},
    {field: 'run', title: 'run'},
  ];
  const summaries = mediansOf(rows);
  const medians = {values: summaries};
  const points = {values: rows};
  return {
    layer: [
      ...errorBars(summaries, {x, y: y('rate'), color}),
      ...errorBars(summaries, {x, y: y('saturation'), color, mark: {opacity: 0.6}}),
      {data: medians, mark: {type: 'line', strokeWidth: 2.2}, encoding: {x, y: y('rate'), color}},
      {
        data: medians,
        mark: {type: 'line', strokeWidth: 1.2, strokeDash: [3, 3], opacity: 0.7},
        encoding: {x, y: y('saturation'), color},
      },
      {
        data: points,
        mark: {type: 'point', filled: true, size: 50, opacity: 0.8},
        encoding: {x, y: y('rate'), color, shape, tooltip},
      },
      {
        data: points,
        mark: {type: 'point', filled: false, size: 36, opacity: 0.7},
        encoding: {x, y: y('saturation'), color, shape, tooltip},
      },
    ],
  };
}

/** Builds the figure of a model that has searched() runs. */
export function knee(model) {
  const runs = searched(model);
  const settings = bySetting(runs)
    .slice(0, MAX_SETTINGS)
    .map((setting) => ({...setting, rows: rowsOf(setting)}));
  const data = settings.flatMap((setting) => setting.rows);
  const counts = [...new Set(data.map((row) => row.nodes))].sort((a, b) => a - b);
  const top = Math.max(...data.map((row) => Math.max(row.rate, row.saturation)));
  const names = new Set(runs.map((run) => run.algorithm));
  const medians = settings.flatMap((setting) => mediansOf(setting.rows));
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(runs),
    legend: model.algorithms
      .filter((name) => names.has(name))
      .map((algorithm) => {
        return {label: algorithm, mark: 'line', ...styleOf(model, {algorithm, nodes: 3})};
      }),
    panels: settings.map((setting) => ({
      ...panelTitle('placements per second', setting),
      rows: [{height: 240, spec: panelSpec(setting.rows, model, counts, top)}],
    })),
    minPanel: 300,
    maxColumns: 2,
    yExtent: 44,
    data,
    medians,
    caption: caption(data) + intervalText(medians),
  };
}

function caption(data) {
  const objectives = [...new Set(data.map((row) => row.objective))];
  const unconfirmed = data.filter((row) => row.confirmed === 'no').length;
  const again =
    unconfirmed === 0
      ? 'Each was met once more by the run whose figures are shown elsewhere.'
      : `${unconfirmed} of ${data.length} were missed by the run that repeated them: so near the knee lies ` +
        `the machine's noise.`;
  return (
    `Solid: the highest rate with ${list(objectives)}, at which two of up to three tries met it, found by ` +
    `halving the gap to 5 %. Dashed, hollow: the saturation throughput of a closed loop, whose latency ` +
    `is not bounded. ${again} Every repetition is a point; lines join the medians.`
  );
}
