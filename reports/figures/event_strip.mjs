// What happened around a fault, in order: on the real nodes, and beneath it what the same schedule did
// to simulated ones.

import {isNumber} from '../format.mjs';

// Of these the legend has the first already: it is a mark of the strip above.
const MARKS = [
  ['success', 'first success', 'triangle-up', '@ink'],
  ['refused', 'first refusal', 'cross', '@refused'],
  ['healed', 'fault is over', 'square', '@muted'],
];
const LINE_HEIGHT = 17;
const MAX_LABEL = 96;
/** The room that the labels of the strip's lines take at its left. */
export const EVENT_LABELS = 92;

/** The events of a run relative to its fault of that number, counted from 1; null without it. */
function around(events, number) {
  const faults = (events ?? []).filter((event) => event.event === 'fault');
  const zero = faults[number - 1]?.t_ms;
  if (!isNumber(zero)) return null;
  return events.map((event) => ({...event, t: event.t_ms - zero}));
}

/** While who led: [{from, until, another}], `another` than the one at the fault. */
function reigns(events, [from, to]) {
  const changes = events.filter((e) => e.event === 'leader' || e.event === 'leader_lost');
  const before = changes.filter((e) => e.event === 'leader' && e.t <= 0);
  const first = before[before.length - 1]?.node;
  return changes.flatMap((event, at) => {
    if (event.event !== 'leader') return [];
    const until = changes[at + 1]?.t ?? to;
    if (until <= from || event.t >= to) return [];
    return [
      {
        from: Math.max(from, event.t),
        until: Math.min(to, until),
        another: event.node !== first,
        text: `node ${event.node} leads${isNumber(event.epoch) ? `, epoch ${event.epoch}` : ''}`,
      },
    ];
  });
}

/** The events of that kind which this fault brought. */
function marked(events, kind, fault, until) {
  const next = events.find((e) => e.event === 'fault' && e.t > 0)?.t ?? Infinity;
  return events.filter((e) => {
    return e.event === kind && e.fault === fault && e.t > 0 && e.t < next && e.t <= until;
  });
}

/** The lines of the strip: each repetition live, then each simulated story once. */
function linesOf(members, label) {
  const live = members
    .map((event) => ({
      label: label(event),
      fault: event.fault,
      events: around(event.run.events, event.number),
    }))
    .filter((line) => line.events);
  const stories = new Map();
  for (const event of members) {
    const events = around(event.run.simulated, event.number);
    const key = JSON.stringify(events);
    if (events && !stories.has(key)) stories.set(key, {event, events});
  }
  const simulated = [...stories.values()].map(({event, events}) => ({
    label: stories.size === 1 ? 'simulated' : `simulated ${label(event)}`,
    fault: event.fault,
    events,
  }));
  return [...live, ...simulated].map((line, row) => ({...line, row}));
}

/**
 * The strip as a row of a panel, or null when no run has events.
 * @param members the faults that the panel is about
 * @param x makes the encoding of a field on the common time axis
 */
export function eventStrip(members, span, {color, x, label, rule}) {
  const lines = linesOf(members, label);
  if (lines.length === 0) return null;
  const y = {field: 'row', type: 'ordinal', axis: null, scale: {domain: lines.map((l) => l.row)}};
  const bands = lines.flatMap((line) =>
    reigns(line.events, span).map((reign) => ({
      ...reign,
      row: line.row,
      strength: reign.another ? 0.75 : 0.3,
    })),
  );
  const marks = MARKS.map(([kind, name, shape, ink]) => ({
    data: {
      values: lines.flatMap((line) =>
        marked(line.events, kind, line.fault, span[1]).map((event) => ({
          row: line.row,
          label: line.label,
          t: event.t,
          text: `${name} after ${Math.round(event.t)} ms`,
        })),
      ),
    },
    mark: {type: 'point', filled: true, size: 46, opacity: 1, shape, color: ink},
    encoding: {x: x('t'), y, tooltip: [{field: 'label'}, {field: 'text'}]},
  }));
  const layer = [
    {
      data: {values: bands},
      mark: {type: 'rule', strokeWidth: 5, color},
      encoding: {
        x: x('from'),
        x2: {field: 'until'},
        y,
        opacity: {field: 'strength', type: 'quantitative', scale: null, legend: null},
        tooltip: [{field: 'text'}],
      },
    },
    ...marks,
    {
      data: {values: lines.map(({row, label: text}) => ({row, text, begin: span[0]}))},
      mark: {
        type: 'text',
        align: 'right',
        dx: -7,
        fontSize: 10.5,
        baseline: 'middle',
        color: '@muted',
        limit: MAX_LABEL,
      },
      encoding: {x: x('begin'), y, text: {field: 'text'}},
    },
    rule,
  ];
  return {height: LINE_HEIGHT * lines.length, title: 'who leads: live, and the same faults simulated', spec: {layer}};
}

/** What the strip adds to the legend. */
export function eventLegend(color) {
  return [
    {label: 'led by the same as at the fault', mark: 'bar', color, opacity: 0.3},
    {label: 'by another', mark: 'bar', color, opacity: 0.75},
    ...MARKS.slice(1).map(([, label, shape, ink]) => ({label, shape, mark: 'point', color: ink})),
  ];
}
