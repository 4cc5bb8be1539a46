// The machine's noise over the sweeps: one and the same short run, repeated between the others.

import {conditions} from '../conditions.mjs';
import {perSecond, plural, significant} from '../format.mjs';
import {groupBy} from '../model.mjs';
import {driftOf, spreadOf} from '../noise.mjs';

const NAME = 'baseline';
const TITLE = 'What the machine itself varied by';
const MINUTE = 60000;

function rowsOf(runs) {
  const first = Math.min(...runs.map((run) => Date.parse(run.manifest.started_at)));
  return runs.map((run) => ({
    minutes: (Date.parse(run.manifest.started_at) - first) / MINUTE,
    achieved_ops_per_s: run.summary.achieved_ops_per_s,
    host: run.setting.host,
    run: run.id,
  }));
}

function panelSpec(rows, median) {
  const x = {
    field: 'minutes',
    type: 'quantitative',
    scale: {zero: false, nice: false, padding: 12},
    axis: {title: 'minutes since the first', tickCount: 6},
  };
  const top = Math.max(...rows.map((row) => row.achieved_ops_per_s)) * 1.12;
  const y = (field) => ({
    field,
    type: 'quantitative',
    scale: {domain: [0, top], nice: false},
    axis: {title: null, format: '~s', tickCount: 4, minExtent: 44, maxExtent: 44},
  });
  return {
    layer: [
      {
        data: {values: [{median}]},
        mark: {type: 'rule', color: '@muted', strokeDash: [3, 3]},
        encoding: {y: y('median')},
      },
      {
        data: {values: rows},
        mark: {type: 'line', color: '@unreplicated', strokeWidth: 1.4, opacity: 0.6},
        encoding: {x, y: y('achieved_ops_per_s')},
      },
      {
        data: {values: rows},
        mark: {type: 'point', color: '@unreplicated', shape: 'square', filled: true, size: 46},
        encoding: {
          x,
          y: y('achieved_ops_per_s'),
          tooltip: [
            {field: 'run', title: 'run'},
            {field: 'achieved_ops_per_s', title: 'achieved', format: ',.0f'},
            {field: 'minutes', title: 'minutes', format: '.1f'},
          ],
        },
      },
    ],
  };
}

/** "3 runs, 212 k/s, 4.1 % apart, no drift". */
function inWords(runs) {
  const spread = spreadOf(runs);
  const drift = driftOf(runs);
  const moved = drift ? `drifting by ${significant(drift * 100, 2)} %` : 'no drift';
  return `${plural(runs.length, 'run')}, ${perSecond(spread.median)}, ${significant(spread.share * 100, 2)} % apart, ${moved}`;
}

/** Builds the figure of a model that has at least two baseline runs; a panel for each host. */
export function baseline(model) {
  const hosts = [...groupBy(model.baseline, (run) => run.setting.host).values()].filter(
    (runs) => runs.length > 1,
  );
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(model.baseline),
    legend: [
      {label: 'a baseline run', mark: 'line', color: '@unreplicated', shape: 'square'},
      {label: 'their median', mark: 'line', color: '@muted', dash: [3, 3], width: 1.2},
    ],
    panels: hosts.map((runs) => ({
      title: 'placements per second',
      subtitle: inWords(runs),
      rows: [{height: 130, spec: panelSpec(rowsOf(runs), spreadOf(runs).median)}],
    })),
    minPanel: 300,
    maxColumns: 2,
    yExtent: 44,
    data: hosts.flatMap(rowsOf),
    caption:
      'One node without coordination under one load, between the runs of all other figures, in which ' +
      'it is not. What these runs differ by is the machine, and whatever else ran on it: differences ' +
      'between strategies that are no larger mean nothing.',
  };
}
