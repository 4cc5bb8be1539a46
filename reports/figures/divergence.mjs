// How far replicas were apart around each fault: divergent cells of strategies that merge, the lag of
// those with an order.

import {binWidth} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {isNumber, recovery} from '../format.mjs';
import {intervalText} from '../intervals.mjs';
import {intervalBand, styleOf} from './style.mjs';
import {
  alignBins,
  binMedians,
  byFault,
  choosePanels,
  columnsOf,
  drawnBins,
  faultBand,
  faultRule,
  groupEvents,
  lasted,
  leftAxis,
  omittedText,
  timeAxis,
  titlesOf,
  xOf,
} from './time_axis.mjs';

const NAME = 'divergence';
const TITLE = 'Replicas apart: divergence and lag around each fault';
const MAX_PANELS = 12;
const AGREED = {shape: 'triangle-down', color: '@ink'};
const MEASURES = [
  ['divergent_cells', 'divergent cells'],
  ['lag', 'lag (log indices)'],
];

/** What is shown of the time around these faults, in ms relative to them. */
function timeWindow(events) {
  const ends = events.map((event) => {
    return Math.max(...event.run.timeline.map((row) => row.t_ms)) - event.injected_ms;
  });
  const over = events.map((event) => (lasted(event) ?? 0) + (event.converged_ms ?? 0));
  const after = Math.min(Math.max(2000, ...over.map((ms) => 1.5 * ms)), Math.max(2000, ...ends));
  return [-Math.max(500, Math.round((after * 0.2) / 100) * 100), Math.ceil(after / 500) * 500];
}

function rowsOf(event, [from, to], measure) {
  const width = binWidth(event.run.timeline);
  return event.run.timeline
    .map((row) => ({...row, t: row.t_ms - event.injected_ms}))
    .filter((row) => row.t + width > from && row.t < to && isNumber(row[measure]))
    .map((row) => ({
      series: event.run.series,
      fault: event.fault,
      repetition: event.run.repetition,
      measure,
      t_ms: row.t,
      width_ms: width,
      most: row[measure],
      run: event.run.id,
    }));
}

/** When replicas had caught up after the healing, as a mark on the time axis with its text. */
function marksOf(events, span) {
  return events
    .filter((event) => isNumber(event.converged_ms) && lasted(event) !== null)
    .map((event) => ({
      t: lasted(event) + event.converged_ms,
      text: `agreed ${recovery(event.converged_ms)} after the healing`,
      run: event.run.id,
    }))
    .filter((mark) => mark.t <= span[1]);
}

function measureRow([measure, name], rows, events, {span, top, color}) {
  const own = rows.filter((row) => row.measure === measure);
  const x = (field) => xOf(span, field, timeAxis);
  const y = {
    field: 'most',
    type: 'quantitative',
    scale: {domain: [0, Math.max(1, top) * 1.08], nice: false},
    axis: leftAxis,
  };
  const middle = drawnBins(own, span, ['most']);
  const inside = own
    .filter((row) => row.t_ms >= span[0])
    .map(({t_ms: t, most, run}) => ({t_ms: t, most, run}));
  const line = (values, mark, more) => ({
    data: {values},
    mark: {type: 'line', interpolate: 'step-after', color, ...mark},
    encoding: {x: x('t_ms'), y, ...more},
  });
  const layer = [
    faultBand(events, span, timeAxis),
    intervalBand(middle, 'most', {x: x('t_ms'), y, color}),
    line(inside, {strokeWidth: 1, opacity: 0.45}, {detail: [{field: 'run'}]}),
    line(middle, {strokeWidth: 2}, {}),
    {
      data: {values: inside},
      mark: {type: 'point', size: 30, opacity: 0},
      encoding: {
        x: x('t_ms'),
        y,
        tooltip: [
          {field: 'run'},
          {field: 't_ms', title: 'ms since the fault', format: ',.0f'},
          {field: 'most', title: `${name}, most in the bin`, format: ',.0f'},
        ],
      },
    },
    {
      data: {values: marksOf(events, span)},
      mark: {...AGREED, type: 'point', filled: true, size: 60, opacity: 1},
      encoding: {x: x('t'), y: {value: 8}, tooltip: [{field: 'run'}, {field: 'text'}]},
    },
    faultRule(span),
  ];
  return {height: 120, title: name, spec: {layer}};
}

function groupsOf(events) {
  const groups = groupEvents(events).map((group) => {
    const span = timeWindow(group.members);
    const rows = MEASURES.map(([measure]) =>
      alignBins(group.members.flatMap((event) => rowsOf(event, span, measure))),
    );
    return {...group, span, rows: rows.flat()};
  });
  return groups.filter((group) => group.rows.length > 0);
}

/** The same fault has the same axes for all strategies. */
function axesOf(groups, fault, measure) {
  const same = groups.filter((group) => group.members[0].fault === fault);
  const span = [
    Math.min(...same.map((group) => group.span[0])),
    Math.max(...same.map((group) => group.span[1])),
  ];
  const values = same.flatMap((group) => group.rows.filter((row) => row.measure === measure));
  return {span, top: Math.max(0, ...values.map((row) => row.most))};
}

function panelOf(group, groups, model) {
  const {members, rows} = group;
  const {run, fault} = members[0];
  const {color} = styleOf(model, run);
  const present = MEASURES.filter(([measure]) => rows.some((row) => row.measure === measure));
  return {
    ...titlesOf(group),
    rows: present.map((measure) =>
      measureRow(measure, rows, members, {...axesOf(groups, fault, measure[0]), color}),
    ),
  };
}

/** Builds the figure; absent when no timeline around a fault has divergent cells or lag. */
export function divergence(model) {
  const groups = groupsOf(model.events.filter((event) => event.run.timeline?.length));
  if (groups.length === 0) {
    const absent = 'no run with a fault has divergent cells or lag in its timeline.csv';
    return {name: NAME, title: TITLE, absent};
  }
  groups.sort(byFault);
  const {drawn, left} = choosePanels(groups, MAX_PANELS);
  const medians = groups.flatMap(({span, rows}) =>
    MEASURES.flatMap(([measure]) =>
      binMedians(
        rows.filter((row) => row.measure === measure),
        span,
        ['most'],
      ),
    ),
  );
  const omitted = omittedText(left);
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions([...new Set(groups.flatMap((g) => g.members.map((e) => e.run)))]),
    legend: [
      {label: 'the fault lasts', mark: 'bar', color: '@muted', opacity: 0.3},
      {...AGREED, label: 'all held what any had at the healing', mark: 'point'},
    ],
    panels: drawn.map((group) => panelOf(group, groups, model)),
    minPanel: 300,
    maxColumns: columnsOf(groups),
    yExtent: 50,
    data: groups.flatMap((group) => group.rows),
    medians,
    caption:
      'Strategies that merge diverge: cells whose stamps differ between live replicas, the most at ' +
      'one moment of each bin, from the journals of what each replica applied. Strategies with an ' +
      'order only lag: the largest distance in log indices between what two nodes had applied. Thin ' +
      'lines are repetitions, thick lines their medians. The same fault has the same axes for all ' +
      `strategies.${intervalText(medians, 'Bands')}${omitted}`,
  };
}
