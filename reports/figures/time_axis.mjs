// What the figures around a fault have in common: the time since the fault and how a bin of a
// timeline lies on it.

import {isNumber} from '../format.mjs';
import {summarized} from '../intervals.mjs';
import {bySetting, groupBy} from '../model.mjs';
import {SHORT_NUMBER} from './style.mjs';

export const hiddenAxis = {labels: false, ticks: false, title: null, domain: false, grid: false};
export const timeAxis = {
  title: 'time since the fault (s)',
  labelExpr: "format(datum.value / 1000, '~g')",
  tickCount: 7,
};
export const leftAxis = {
  title: null,
  tickCount: 3,
  minExtent: 50,
  maxExtent: 50,
  labelExpr: SHORT_NUMBER,
};

/** The encoding of a field on the time axis [from, to] in ms. */
export const xOf = (span, field, axis) => ({
  field,
  type: 'quantitative',
  scale: {domain: span, nice: false, zero: false},
  axis,
});

/** The moment of the fault as a rule. */
export function faultRule(span) {
  return {
    data: {values: [{t: 0}]},
    mark: {type: 'rule', color: '@ink', strokeWidth: 1.2},
    encoding: {x: xOf(span, 't', undefined)},
  };
}

/** How long the fault of an event lasted, in ms; null when it never ended or that is not known. */
export function lasted(event) {
  return isNumber(event.ended_ms) ? event.ended_ms - event.injected_ms : null;
}

/** The time during which the (first) fault of these events lasted, as a band behind everything. */
export function faultBand(events, span, axis) {
  const until = Math.min(span[1], lasted(events[0]) ?? span[1]);
  return {
    data: {values: [{from: 0, until}]},
    mark: {type: 'rect', color: '@muted', opacity: 0.13},
    encoding: {x: xOf(span, 'from', axis), x2: {field: 'until'}},
  };
}

/**
 * Gives the rows of several events common bins: every injection falls elsewhere into its bin, so
 * the common bins begin at the mean of those offsets (with one event, exactly where its own do).
 */
export function alignBins(rows) {
  const offsets = rows.map((row) => row.t_ms - Math.floor(row.t_ms / row.width_ms) * row.width_ms);
  const mean = offsets.reduce((sum, offset) => sum + offset, 0) / Math.max(1, offsets.length);
  return rows.map((row) => {
    return {...row, bin_ms: Math.round(Math.floor(row.t_ms / row.width_ms) * row.width_ms + mean)};
  });
}

/** The medians of `fields` in each common bin of the span, with their intervals, in order of time. */
export function binMedians(rows, [from, to], fields) {
  return summarized(rows, (row) => row.bin_ms, fields)
    .map(({bin_ms: bin, fault_number: _number, ...row}) => ({...row, t_ms: bin}))
    .filter((row) => row.t_ms >= from && row.t_ms <= to)
    .sort((a, b) => a.t_ms - b.t_ms);
}

/** binMedians() with only what a plot draws: the page has these rows in several layers. */
export function drawnBins(rows, span, fields) {
  return binMedians(rows, span, fields).map((row) => ({
    t_ms: row.t_ms,
    ...Object.fromEntries(
      fields.flatMap((name) => [name, `${name}_low`, `${name}_high`, `${name}_n`].map((field) => [field, row[field]])),
    ),
  }));
}

/**
 * Events of the same fault, series, load and setting (and of the same `extra`) together, as
 * [{members, setting}] in the order of their first appearance.
 */
export function groupEvents(events, extra = () => '') {
  const titles = new Map(bySetting(events.map((e) => e.run)).map((s) => [s.id, s.title]));
  const key = (e) =>
    [e.run.series, e.fault, e.run.load.label, e.run.settingId, extra(e)].join('\u0001');
  return [...groupBy(events, key).values()].map((members) => ({
    members,
    setting: titles.get(members[0].run.settingId),
  }));
}

/** The title and subtitle of the panel of a group, and of which series it is. */
export function titlesOf({members, setting}) {
  const {run, fault} = members[0];
  return {
    series: run.series,
    title: `${run.series}, ${fault}`,
    subtitle: [run.load.label, setting].filter(Boolean).join(' · '),
  };
}

/** The order of groups of events by the names of their faults. */
export function byFault(a, b) {
  const [one, other] = [a, b].map(({members}) => members[0].fault);
  return one < other ? -1 : one > other ? 1 : 0;
}

/** As many columns as strategies and sizes had the same fault, so that they stand side by side. */
export function columnsOf(groups) {
  const faults = groups.map(({members}) => members[0].fault);
  const most = Math.max(...faults.map((fault) => faults.filter((other) => other === fault).length));
  return Math.min(3, Math.max(2, most));
}

/**
 * Which groups are drawn where there are more than `most`, and in which order: {drawn, left}. All strategies of a node
 * count or none, from the count in the middle on, and the same fault at one count stands side by side.
 */
export function choosePanels(groups, most) {
  if (groups.length <= most) return {drawn: groups, left: []};
  const runOf = ({members}) => members[0].run;
  const counts = [...new Set(groups.map((group) => runOf(group).nodes))].sort((a, b) => a - b);
  const middle = Math.floor((counts.length - 1) / 2);
  const fromMiddle = [...counts].sort((a, b) => {
    return Math.abs(counts.indexOf(a) - middle) - Math.abs(counts.indexOf(b) - middle) || a - b;
  });
  const chosen = new Set();
  for (const nodes of fromMiddle) {
    const own = groups.filter((group) => runOf(group).nodes === nodes);
    if (chosen.size > 0 && chosen.size + own.length > most) break;
    for (const group of own.slice(0, most)) chosen.add(group);
  }
  const place = new Map(); // of a fault, setting and load: where it appears first
  const key = (group) => [group.members[0].fault, runOf(group).settingId, runOf(group).load.label].join('\u0001');
  for (const group of groups) if (!place.has(key(group))) place.set(key(group), place.size);
  const order = (a, b) => place.get(key(a)) - place.get(key(b)) || runOf(a).nodes - runOf(b).nodes;
  return {
    drawn: groups.filter((group) => chosen.has(group)).sort(order),
    left: groups.filter((group) => !chosen.has(group)),
  };
}

/** What a caption says of groups of events that are not drawn. */
export function omittedText(groups) {
  const names = groups.map(({members}) => `${members[0].run.series} ${members[0].fault}`);
  return names.length ? ` In the data but not drawn: ${[...new Set(names)].join('; ')}.` : '';
}
