// Who serves while the cluster is split or most of it is dead: placements of the nodes that a fault
// hit, and of all others.

import {binWidth, groupBy} from '../model.mjs';
import {conditions} from '../conditions.mjs';
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

const NAME = 'both-sides';
const TITLE = 'Who serves while the cluster is split';
const MAX_PANELS = 12;
const RATES = ['placed_per_s', 'read_per_s', 'refused_per_s'];
const SPLITS = /^(partition|isolate|deaf|mute|cut|kill-majority|pause-majority)/;

function timeWindow(event) {
  const end = Math.max(...event.run.timeline.map((row) => row.t_ms)) - event.injected_ms;
  const during = lasted(event) ?? end;
  const around = Math.max(1000, during * 0.3);
  return [-around, Math.min(end, during + around)].map((ms) => Math.round(ms / 100) * 100);
}

/** "node 1" or "nodes 1 2". */
const named = (nodes) => `node${nodes.length === 1 ? '' : 's'} ${nodes.join(' ')}`;

/** The two sides as [title, nodes]; of killed nodes there is one side only. */
function sidesOf(event) {
  const all = Array.from({length: event.run.nodes}, (_, at) => at + 1);
  const rest = all.filter((node) => !event.hit.includes(node));
  const killed = event.fault.startsWith('kill');
  return [
    [killed ? 'killed' : 'cut off', event.hit],
    [killed ? 'left' : 'the others', rest],
  ];
}

function rowsOf(event, [from, to]) {
  const width = binWidth(event.run.timeline);
  const bins = event.run.timeline.map((row) => row.t_ms);
  return sidesOf(event).flatMap(([side, nodes]) => {
    const own = groupBy(
      event.run.nodeRows.filter((row) => nodes.includes(Number(row.node))),
      (row) => row.t_ms,
    );
    const sum = (t, column) => (own.get(t) ?? []).reduce((total, row) => total + row[column], 0);
    return bins
      .filter((t) => t - event.injected_ms + width > from && t - event.injected_ms < to)
      .map((t) => ({
        series: event.run.series,
        fault: event.fault,
        repetition: event.run.repetition,
        side,
        nodes: nodes.join(' '),
        t_ms: t - event.injected_ms,
        width_ms: width,
        placed_per_s: (sum(t, 'placed') * 1000) / width,
        read_per_s: (sum(t, 'read') * 1000) / width,
        refused_per_s: (sum(t, 'refused') * 1000) / width,
        run: event.run.id,
      }));
  });
}

function sideRow(side, rows, events, {span, top, color}) {
  const own = rows.filter((row) => row.side === side);
  const y = (field) => ({
    field,
    type: 'quantitative',
    scale: {domain: [0, Math.max(1, top) * 1.08], nice: false},
    axis: leftAxis,
  });
  const x = xOf(span, 't_ms', timeAxis);
  const middle = drawnBins(own, span, RATES);
  const each = own
    .filter((row) => row.t_ms >= span[0])
    .map(({t_ms: t, placed_per_s: placed, run}) => ({t_ms: t, placed_per_s: placed, run}));
  const step = {interpolate: 'step-after', clip: true};
  const tooltip = [
    {field: 't_ms', title: 'ms since the fault', format: ',.0f'},
    {field: 'placed_per_s', title: 'placements ok (per s)', format: ',.0f'},
    {field: 'refused_per_s', title: 'attempts refused (per s)', format: ',.0f'},
  ];
  return {
    height: 84,
    title: `${side}: ${named(own[0].nodes.split(' ').filter(Boolean))}`,
    spec: {
      layer: [
        faultBand(events, span, timeAxis),
        {
          data: {values: middle},
          mark: {type: 'area', color, opacity: 0.22, ...step},
          encoding: {x, y: y('placed_per_s')},
        },
        intervalBand(middle, 'placed_per_s', {x, y: y('placed_per_s'), color}),
        {
          data: {values: each},
          mark: {type: 'line', color, strokeWidth: 0.9, opacity: 0.5, ...step},
          encoding: {x, y: y('placed_per_s'), detail: [{field: 'run'}]},
        },
        {
          data: {values: middle},
          mark: {type: 'line', color, strokeWidth: 1.8, ...step},
          encoding: {x, y: y('placed_per_s')},
        },
        {
          data: {values: middle},
          mark: {type: 'area', color: '@refused', opacity: 0.22, ...step},
          encoding: {x, y: y('refused_per_s')},
        },
        {
          data: {values: middle},
          mark: {type: 'line', color: '@refused', strokeWidth: 1.6, ...step},
          encoding: {x, y: y('refused_per_s')},
        },
        {
          data: {values: middle},
          mark: {type: 'point', size: 30, opacity: 0},
          encoding: {x, y: y('placed_per_s'), tooltip},
        },
        faultRule(span),
      ],
    },
  };
}

/** The same fault is shown for the same time with all strategies: as long as all runs last. */
function groupsOf(events) {
  return groupEvents(events, (event) => event.hit.length).map((group) => {
    const same = events.filter((event) => event.fault === group.members[0].fault);
    const spans = same.map(timeWindow);
    const span = [Math.max(...spans.map((s) => s[0])), Math.min(...spans.map((s) => s[1]))];
    return {...group, span, rows: alignBins(group.members.flatMap((event) => rowsOf(event, span)))};
  });
}

function panelOf(group, groups, model) {
  const {members, span, rows} = group;
  const {run, fault} = members[0];
  const same = groups.filter((other) => other.members[0].fault === fault);
  const top = Math.max(...same.flatMap((other) => other.rows.map((row) => row.placed_per_s)));
  const {color} = styleOf(model, run);
  return {
    ...titlesOf(group),
    rows: sidesOf(members[0]).map(([side]) => sideRow(side, rows, members, {span, top, color})),
  };
}

/** The faults that split the cluster, of runs that say what each node answered. */
export function splitEvents(model) {
  return model.events.filter(({fault, hit, run}) => {
    const told = run.nodeRows?.length && run.timeline?.length;
    return SPLITS.test(fault) && hit.length > 0 && told;
  });
}

/** Builds the figure; absent when no fault split a cluster. */
export function bothSides(model) {
  const events = splitEvents(model);
  if (events.length === 0) {
    const absent =
      'no run with a partition or a killed majority says what each node answered (nodes.csv)';
    return {name: NAME, title: TITLE, absent};
  }
  const groups = groupsOf(events).sort((a, b) => byFault(b, a)); // partitions before kills
  const {drawn, left} = choosePanels(groups, MAX_PANELS);
  const medians = groups.flatMap(({members, span, rows}) =>
    sidesOf(members[0]).flatMap(([side]) =>
      binMedians(
        rows.filter((row) => row.side === side),
        span,
        RATES,
      ),
    ),
  );
  const omitted = omittedText(left);
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions([...new Set(events.map((event) => event.run))]),
    legend: [
      {label: 'the fault lasts', mark: 'bar', color: '@muted', opacity: 0.3},
      {label: 'placements answered ok', mark: 'line', color: '@ink'},
      {label: 'attempts refused', mark: 'line', color: '@refused'},
    ],
    panels: drawn.map((group) => panelOf(group, groups, model)),
    minPanel: 300,
    maxColumns: columnsOf(groups),
    yExtent: 50,
    data: groups.flatMap((group) => group.rows),
    medians,
    caption:
      'Per second, by the node that answered: placements answered ok and attempts refused (a client ' +
      'whose attempt is refused tries again, elsewhere too, so that there may be many of them; what ' +
      `lies above the axis is cut off). Reads are not in it. Thin lines are repetitions, the thick ones ` +
      `their medians.${intervalText(medians, 'Bands')}${omitted}`,
  };
}
