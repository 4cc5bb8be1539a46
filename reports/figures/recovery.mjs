// What each fault cost, in numbers beside each other: how soon it was noticed, when a client succeeded
// again, when throughput was back to 95 %; and the pixels that did not get through.

import {conditions} from '../conditions.mjs';
import {count, isNumber} from '../format.mjs';
import {intervalText, intervalWords, summarized} from '../intervals.mjs';
import {bySetting, groupBy} from '../model.mjs';
import {algorithmScales, errorBars, SHORT_NUMBER} from './style.mjs';

const NAME = 'recovery';
const TITLE = 'Recovery from each fault, and the pixels it cost';
const MAX_GROUPS = 8;
const LABELS = 128;
const BAR = 12;
const PHASES = [
  ['noticed_ms', 'noticed', 0.35],
  ['first_success_ms', 'first success', 0.62],
  ['back_to_95_ms', 'back to 95 %', 0.95],
];
const PIXELS = [
  ['refused', 'refused', '@refused'],
  ['unknown', 'unknown', '@unknown'],
  ['unsent', 'unsent', '@unsent'],
  ['superseded', 'superseded', '@other0'],
  ['lost', 'lost', '@bad'],
];
const FIELDS = [...PHASES, ...PIXELS].map(([field]) => field);

function rowsOf(events) {
  const titles = new Map(bySetting(events.map((e) => e.run)).map((s) => [s.id, s.title]));
  return events.map((event) => {
    const {run} = event;
    const times = PHASES.map(([field]) => [field, event[field] ?? null]);
    const {superseded, lost} = run.summary.consistency;
    return {
      series: run.series,
      algorithm: run.algorithm,
      nodes: run.nodes,
      fault: event.fault,
      load: run.load.label,
      setting: titles.get(run.settingId),
      repetition: run.repetition,
      ...Object.fromEntries(times),
      refused: event.refused,
      unknown: event.unknown,
      unsent: event.unsent,
      superseded: superseded ?? null,
      lost: lost ?? null,
      run: run.id,
    };
  });
}

const sameFault = (row) => [row.fault, row.load, row.setting].join('\u0001');

/** Medians with intervals; a recovery that never came counts as endless. Where clients were served again
 * and nobody noticed a change of leader, there was none to notice, as in a strategy without one. */
function mediansOf(rows) {
  const endless = rows.map((row) => {
    const absent = (field) =>
      field === PHASES[0][0] && isNumber(row[PHASES[1][0]]) ? null : Infinity;
    const times = PHASES.map(([field]) => [field, row[field] ?? absent(field)]);
    return {...row, ...Object.fromEntries(times)};
  });
  return summarized(endless, (row) => `${sameFault(row)}\u0001${row.series}`, FIELDS);
}

/** The median of a field and its interval, from a row of summarized(). */
const intervalOf = (row, field) => {
  return {median: row[field], low: row[`${field}_low`], high: row[`${field}_high`]};
};

/** One bar for each of these kinds of a median: {series, kind, value, value_low, value_high, label, text}. */
function barsOf(medians, kinds, top, show) {
  const inside = (value) => Math.min(value, top);
  return medians.flatMap((row) =>
    kinds
      .filter(([field]) => row[field] !== null)
      .map(([field, kind]) => ({
        series: row.series,
        algorithm: row.algorithm,
        nodes: row.nodes,
        kind,
        begin: 0,
        value: inside(row[field]),
        value_low: inside(row[`${field}_low`]),
        value_high: inside(row[`${field}_high`]),
        value_n: row[`${field}_n`],
        interval: row[`${field}_interval`],
        label: show(row[field]),
        text: intervalWords(intervalOf(row, field), show),
      })),
  );
}

function panelOf(bars, kinds, {x, color, opacity}) {
  const order = [...new Set(bars.map((bar) => bar.series))];
  const names = kinds.map(([, kind]) => kind);
  const y = {
    field: 'series',
    type: 'ordinal',
    scale: {domain: order, paddingInner: 0.22, paddingOuter: 0.08},
    axis: {
      title: null,
      minExtent: LABELS,
      maxExtent: LABELS,
      labelLimit: LABELS - 8,
      domain: false,
    },
  };
  const yOffset = {field: 'kind', type: 'ordinal', scale: {domain: names, paddingInner: 0.12}};
  const at = {y, yOffset};
  const tooltip = [
    {field: 'series'},
    {field: 'kind'},
    {field: 'text', title: 'median and interval'},
    {field: 'interval', title: 'the interval is the'},
  ];
  const caps = errorBars(bars, {x: x('value'), y, along: 'x', mark: {color: '@ink', opacity: 0.75}});
  return {
    height: order.length * (names.length * BAR + 10),
    spec: {
      layer: [
        {
          data: {values: bars},
          mark: {type: 'bar'},
          encoding: {...at, x: x('begin'), x2: {field: 'value'}, color, opacity, tooltip},
        },
        ...caps.map((layer) => {
          const mark = layer.mark.type === 'tick' ? {...layer.mark, size: 6} : layer.mark;
          return {...layer, mark, encoding: {...layer.encoding, yOffset}};
        }),
        {
          data: {values: bars},
          mark: {type: 'text', align: 'left', baseline: 'middle', dx: 6, fontSize: 10, color: '@muted'},
          encoding: {...at, x: x('value_high'), text: {field: 'label'}},
        },
      ],
    },
  };
}

function timesPanel(medians, title, model) {
  const known = medians.flatMap((row) => PHASES.map(([field]) => row[`${field}_high`]));
  const finite = known.filter(isNumber);
  const top = Math.max(100, ...finite) * (known.includes(Infinity) ? 1.15 : 1);
  const show = (ms) => (ms === Infinity ? 'never' : count(ms));
  const bars = barsOf(medians, PHASES, top, show);
  const x = (field) => ({
    field,
    type: 'quantitative',
    scale: {domain: [0, top * 1.3], nice: false},
    axis: {title: 'ms after the fault', tickCount: 3, grid: true, labelOverlap: true},
  });
  const opacity = {
    field: 'kind',
    type: 'nominal',
    legend: null,
    scale: {type: 'ordinal', domain: PHASES.map(([, kind]) => kind), range: PHASES.map(([, , shade]) => shade)},
  };
  const {color} = algorithmScales(model, model.algorithms);
  const row = panelOf(bars, PHASES, {x, color, opacity});
  return {title: `${medians[0].fault}: recovery`, subtitle: title, rows: [row]};
}

/** Counts differ by orders of magnitude, and may be 0: a symmetric logarithm from 1 on. */
function pixelsPanel(medians, title) {
  const kinds = PIXELS.filter(([field]) => medians.some((row) => row[`${field}_high`] > 0));
  if (kinds.length === 0) return [];
  const top = Math.max(...kinds.flatMap(([field]) => medians.map((row) => row[`${field}_high`] ?? 0)));
  const bars = barsOf(medians, kinds, top, count);
  const decades = Math.ceil(Math.log10(top + 1));
  const x = (field) => ({
    field,
    type: 'quantitative',
    scale: {type: 'symlog', constant: 1, domain: [0, (top + 1) ** 1.35], nice: false},
    axis: {
      title: 'pixels (log)',
      values: [0, ...Array.from({length: decades}, (_, at) => 10 ** (at + 1))].filter((v) => v < 10 * top),
      labelExpr: SHORT_NUMBER,
      grid: true,
    },
  });
  const color = {
    field: 'kind',
    type: 'nominal',
    legend: null,
    scale: {domain: PIXELS.map(([, kind]) => kind), range: PIXELS.map(([, , token]) => token)},
  };
  const row = panelOf(bars, kinds, {x, color, opacity: {value: 0.95}});
  return [{title: `${medians[0].fault}: pixels`, subtitle: title, rows: [row]}];
}

function legendOf(medians) {
  const kinds = PIXELS.filter(([field]) => medians.some((row) => row[`${field}_high`] > 0));
  return [
    ...PHASES.map(([, label, opacity]) => ({label, mark: 'bar', color: '@ink', opacity})),
    ...kinds.map(([, label, color]) => ({label, mark: 'bar', color})),
  ];
}

/** Builds the figure; absent when no fault was injected. */
export function recovery(model) {
  if (model.events.length === 0) {
    return {name: NAME, title: TITLE, absent: 'no run injected a fault (faults.csv)'};
  }
  const data = rowsOf(model.events);
  const medians = mediansOf(data);
  const groups = [...groupBy(medians, sameFault).values()];
  const drawn = groups.slice(0, MAX_GROUPS);
  const left = groups.slice(MAX_GROUPS).map(([row]) => row.fault);
  const omitted = left.length ? ` In the data but not drawn: ${[...new Set(left)].join('; ')}.` : '';
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions([...new Set(model.events.map((event) => event.run))]),
    legend: legendOf(drawn.flat()),
    panels: drawn.flatMap((group) => {
      const [first] = group;
      const title = [first.load, first.setting].filter(Boolean).join(' · ');
      return [timesPanel(group, title, model), ...pixelsPanel(group, title)];
    }),
    minPanel: 300,
    maxColumns: 2,
    yExtent: LABELS,
    data,
    medians,
    caption:
      'Bars are medians over repetitions, which stand beside them. Never: the fault was not noticed, ' +
      'or throughput was not back before the run ended; a strategy without a leader has none to miss. ' +
      'Pixels that were refused (not done), unknown (maybe done) or unsent, until the next fault or the ' +
      'end; superseded and lost, where the run was recorded, are of the whole run: acknowledged, and ' +
      'overwritten by a writer who had not seen them, or gone.' +
      `${intervalText(medians)}${omitted}`,
  };
}
