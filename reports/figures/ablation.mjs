// What batching and durability do to throughput and latency, where a report has several of either.

import {conditions} from '../conditions.mjs';
import {list} from '../format.mjs';
import {intervalText} from '../intervals.mjs';
import {groupBy} from '../model.mjs';
import {
  SPEED,
  conditionAxis,
  endlessText,
  groupsOver,
  mediansOver,
  panelsOf,
  rowOver,
  rowsOver,
  valuesOf,
} from './over.mjs';
import {seriesLegend, seriesScales} from './style.mjs';

const MODES = [
  ['none', {color: '@unreplicated', shape: 'square'}],
  ['async', {color: '@other2', shape: 'circle'}],
  ['group_commit', {color: '@other0', shape: 'diamond'}],
];
const OTHER_MODE = {color: '@other1', shape: 'cross'};
const MAX_PANELS = 24;
const KEYS = ['batch', 'durability'];

/** Runs that differ in batch size or durability, as groupsOver() has them. */
export function ablated(model) {
  return groupsOver(model, KEYS, (runs) => KEYS.some((key) => valuesOf(runs, key) > 1)).map((group) => ({
    ...group,
    rows: rowsOver(group, SPEED, ({manifest, setting}) => ({
      batch: manifest.batch ?? null,
      durability: setting.durability,
    })),
  }));
}

const rankOf = (mode) => {
  const at = MODES.findIndex(([name]) => name === mode);
  return at < 0 ? MODES.length : at;
};
const modesOf = (rows) => {
  return [...new Set(rows.map((row) => row.durability))].sort((a, b) => rankOf(a) - rankOf(b));
};
const lookOf = (mode) => MODES[rankOf(mode)]?.[1] ?? OTHER_MODE;

/** Encodings of colour and shape by durability. */
function modeScales(modes) {
  const by = (range) => ({field: 'durability', type: 'nominal', legend: null, scale: {domain: modes, range}});
  return {
    color: by(modes.map((mode) => lookOf(mode).color)),
    shape: by(modes.map((mode) => lookOf(mode).shape)),
  };
}

const titled = (title, rows, row) => (row ? [{title, subtitle: rows[0].setting || undefined, rows: [row]}] : []);

/** Over batch sizes, a line for each durability: panels for each strategy and node count. */
function batchPanels(rows, medians, all) {
  const sizes = [...new Set(rows.map((row) => row.batch))].sort((a, b) => a - b);
  const x = conditionAxis('batch', sizes, 'commands per message');
  const looks = modeScales(modesOf(all));
  return [...groupBy(rows, (row) => row.series)].flatMap(([series, own]) => {
    const of = {rows: own, medians: medians.filter((row) => row.series === series), all};
    return SPEED.flatMap((measure) =>
      titled(`${series}: ${measure[1]}`, rows, rowOver(of, measure, {x, ...looks})),
    );
  });
}

/** Over durability alone: a line for each strategy and node count. */
function durabilityPanels(rows, medians, all, {color, shape, strokeDash}) {
  const x = conditionAxis('durability', modesOf(rows), 'durability');
  return SPEED.flatMap((measure) =>
    titled(measure[1], rows, rowOver({rows, medians, all}, measure, {x, color, shape, strokeDash})),
  );
}

/** Builds the figure of a model that has ablated() groups. */
export function ablation(model) {
  const groups = ablated(model);
  const runs = groups.flatMap((group) => group.runs);
  const data = groups.flatMap((group) => group.rows).sort((a, b) => {
    return a.batch - b.batch || rankOf(a.durability) - rankOf(b.durability);
  });
  const medians = mediansOver(data, SPEED, KEYS);
  const batched = (rows) => new Set(rows.map((row) => row.batch)).size > 1;
  const parts = panelsOf(data);
  const panels = parts.flatMap((rows) => {
    const same = medians.filter(({setting, load}) => {
      return setting === rows[0].setting && load === rows[0].load;
    });
    if (batched(rows)) return batchPanels(rows, same, data);
    return durabilityPanels(rows, same, data, seriesScales(model, runs));
  });
  const modes = modesOf(parts.filter(batched).flat());
  const left = Math.max(0, panels.length - MAX_PANELS);
  return {
    name: 'ablation',
    title: 'What batching and durability do',
    conditions: conditions(runs),
    legend: [
      ...modes.map((mode) => ({label: `durability ${mode}`, mark: 'line', ...lookOf(mode)})),
      ...(parts.every(batched) ? [] : seriesLegend(model, runs)),
    ],
    panels: panels.slice(0, MAX_PANELS),
    minPanel: 270,
    maxColumns: 3,
    yExtent: 44,
    data,
    medians,
    caption:
      `At ${list([...new Set(data.map((row) => row.load))])}. Panels of one measure have the same axis. ` +
      `Every repetition is a point; lines join the medians.` +
      `${endlessText(data, ['p50_ms', 'p99_ms'])}${intervalText(medians)}` +
      `${left ? ` In the data but not drawn: ${left} panels.` : ''}`,
  };
}
