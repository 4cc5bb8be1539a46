// Throughput and errors around a fault, with the recovery of every repetition in milliseconds.

import {binWidth, groupBy} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {isNumber, median, recovery} from '../format.mjs';
import {intervalText} from '../intervals.mjs';
import {EVENT_LABELS, eventLegend, eventStrip} from './event_strip.mjs';
import {intervalBand, styleOf} from './style.mjs';
import {
  alignBins,
  binMedians,
  choosePanels,
  drawnBins,
  faultRule,
  groupEvents,
  hiddenAxis,
  leftAxis,
  omittedText,
  timeAxis,
  titlesOf,
  xOf,
} from './time_axis.mjs';

const NAME = 'fault-timeline';
const OUTCOMES = ['refused', 'unknown', 'unsent'];
const MAX_PANELS = 12;
const BASELINE_MS = 5000;
const MARKS = [
  ['noticed_ms', 'noticed', 'diamond'],
  ['first_success_ms', 'first success', 'triangle-up'],
  ['back_to_95_ms', 'back to 95 %', 'circle'],
];

/** What part of the time axis is worth showing, in ms relative to the fault; the same everywhere. */
function timeWindow(events) {
  const known = events.flatMap((e) => [e.back_to_95_ms, e.first_success_ms]).filter(isNumber);
  const ends = events.map((e) => {
    return Math.max(...e.run.timeline.map((row) => row.t_ms)) - e.injected_ms;
  });
  const longest = Math.max(500, ...ends);
  const never = events.some((e) => !isNumber(e.back_to_95_ms));
  const wanted = Math.max(never ? 5000 : 0, ...known.map((ms) => 2 * ms));
  const after = Math.min(Math.max(1500, Math.ceil(wanted / 500) * 500), Math.max(longest, 1500));
  return [-Math.min(2000, Math.max(500, Math.round((after * 0.35) / 100) * 100)), after];
}

/** The rows of an event's timeline inside the window, as rates, relative to the fault. */
function rowsOf(event, [from, to]) {
  const width = binWidth(event.run.timeline);
  const inside = event.run.timeline.filter((row) => {
    const t = row.t_ms - event.injected_ms;
    return t + width > from && t < to;
  });
  return inside.map((row) => {
    const t = row.t_ms - event.injected_ms;
    const outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, row[name] ?? 0]));
    return {
      series: event.run.series,
      fault: event.fault,
      repetition: event.run.repetition,
      fault_number: event.number,
      t_ms: t,
      width_ms: width,
      completed_per_s: (row.completed * 1000) / width,
      ...outcomes,
      run: event.run.id,
    };
  });
}

/** The mean of completed operations per second in the 5 s before the fault (as INTERFACE has it). */
function baseline(event) {
  const width = binWidth(event.run.timeline);
  const before = event.run.timeline.filter((row) => {
    const t = row.t_ms - event.injected_ms;
    return t >= -BASELINE_MS && t + width <= 0;
  });
  if (before.length === 0) return null;
  return ((before.reduce((sum, row) => sum + row.completed, 0) / before.length) * 1000) / width;
}

function clipped(rows, [from, to]) {
  return rows.map((row) => ({
    ...row,
    from: Math.max(from, row.t_ms),
    until: Math.min(to, row.t_ms + row.width_ms),
  }));
}

function repetitionLabel(event) {
  const repetition = `rep ${event.run.repetition ?? 1}`;
  return event.of > 1 ? `${repetition}, fault ${event.number}` : repetition;
}

/** One line of the strip per event: where it begins and ends, and its times as text. */
function stripRows(events, span) {
  return events.map((event, row) => {
    const times = MARKS.map(([field]) => event[field]);
    const text = times.map((ms) => (isNumber(ms) ? String(Math.round(ms)) : 'never')).join(' · ');
    const last = isNumber(event.back_to_95_ms) ? Math.max(...times.filter(isNumber)) : span[1];
    const end = Math.min(last, span[1]);
    const roomy = end < span[0] + 0.66 * (span[1] - span[0]);
    return {
      row,
      label: repetitionLabel(event),
      begin: span[0],
      zero: 0,
      end,
      text: `${text} ms`,
      roomy,
    };
  });
}

/** The symbols of the strip: each known time of each event, where it lies inside the window. */
function stripMarks(events, span) {
  return events.flatMap((event, row) => {
    const known = MARKS.filter(([field]) => isNumber(event[field]) && event[field] <= span[1]);
    return known.map(([field, name]) => {
      return {
        row,
        label: repetitionLabel(event),
        t: event[field],
        name,
        text: recovery(event[field]),
      };
    });
  });
}

function recoveryStrip(events, span, color) {
  const rows = stripRows(events, span);
  const y = {field: 'row', type: 'ordinal', axis: null, scale: {domain: rows.map((r) => r.row)}};
  const x = (field) => xOf(span, field, hiddenAxis);
  const shapes = {domain: MARKS.map(([, name]) => name), range: MARKS.map(([, , shape]) => shape)};
  const words = (text, at, mark, filter = 'true') => ({
    data: {values: rows},
    transform: [{filter}],
    mark: {type: 'text', fontSize: 10.5, baseline: 'middle', color: '@ink', ...mark},
    encoding: {x: x(at), y, text: {field: text}},
  });
  const layer = [
    {
      data: {values: rows},
      mark: {type: 'rule', color, strokeWidth: 1.4, opacity: 0.55},
      encoding: {x: x('zero'), x2: {field: 'end'}, y},
    },
    {
      data: {values: stripMarks(events, span)},
      mark: {type: 'point', filled: true, size: 52, color, opacity: 1},
      encoding: {
        x: x('t'),
        y,
        tooltip: [{field: 'label'}, {field: 'name'}, {field: 'text'}],
        shape: {field: 'name', type: 'nominal', legend: null, scale: shapes},
      },
    },
    words('label', 'begin', {align: 'right', dx: -7, color: '@muted', limit: 80}),
    words('text', 'end', {align: 'left', dx: 9}, 'datum.roomy'),
    words('text', 'end', {align: 'right', dx: -4, dy: -8}, '!datum.roomy'),
    faultRule(span),
  ];
  const height = (rows.every((row) => row.roomy) ? 17 : 24) * rows.length;
  return {height, title: 'recovery: noticed · first success · 95 %', spec: {layer}};
}

function throughputRow(rows, events, span, color, top) {
  const middle = drawnBins(rows, span, ['completed_per_s']);
  const before = median(events.map(baseline).filter(isNumber));
  const inside = rows
    .filter((row) => row.t_ms >= span[0])
    .map(({t_ms: t, completed_per_s: done, run, fault_number: number}) => {
      return {t_ms: t, completed_per_s: done, run, fault_number: number};
    });
  const x = (field) => xOf(span, field, hiddenAxis);
  const y = {
    field: 'completed_per_s',
    type: 'quantitative',
    scale: {domain: [0, top * 1.08], nice: false},
    axis: leftAxis,
  };
  const tooltip = [
    {field: 'run'},
    {field: 't_ms', title: 'ms since the fault', format: ',.0f'},
    {field: 'completed_per_s', title: 'completed (ops/s)', format: ',.0f'},
  ];
  const layer = [
    intervalBand(middle, 'completed_per_s', {x: x('t_ms'), y, color}),
    {
      data: {values: inside},
      mark: {type: 'line', interpolate: 'step-after', strokeWidth: 1, opacity: 0.4, color},
      encoding: {x: x('t_ms'), y, detail: [{field: 'run'}, {field: 'fault_number'}]},
    },
    {
      data: {values: middle},
      mark: {type: 'line', interpolate: 'step-after', strokeWidth: 2, color},
      encoding: {x: x('t_ms'), y},
    },
    {
      data: {values: inside},
      mark: {type: 'point', size: 30, opacity: 0},
      encoding: {x: x('t_ms'), y, tooltip},
    },
    faultRule(span),
  ];
  if (before !== null) {
    layer.push({
      data: {values: [{completed_per_s: 0.95 * before}]},
      mark: {type: 'rule', color: '@muted', strokeDash: [4, 3], strokeWidth: 1},
      encoding: {y: {...y, axis: undefined}},
    });
  }
  return {height: 130, title: 'completed (operations/s)', spec: {layer}};
}

function stacked(rows, repetitions) {
  return [...groupBy(rows, (row) => row.bin_ms).values()]
    .flatMap((bin) => {
      let base = 0;
      return OUTCOMES.map((name) => {
        const mean = bin.reduce((sum, row) => sum + row[name], 0) / repetitions;
        base += mean;
        return {
          t_ms: bin[0].bin_ms,
          width_ms: bin[0].width_ms,
          outcome: name,
          mean,
          low: base - mean,
          high: base,
        };
      });
    })
    .filter((bar) => bar.mean > 0);
}

function errorsRow(rows, events, span, top) {
  const width = Math.round(rows[0]?.width_ms ?? 100);
  const bars = clipped(stacked(rows, events.length), span).filter((bar) => bar.until > bar.from);
  const totals = rows
    .map((row) => ({
      mid: row.t_ms + row.width_ms / 2,
      failed: OUTCOMES.reduce((sum, name) => sum + row[name], 0),
    }))
    .filter((row) => row.failed > 0 && row.mid >= span[0] && row.mid <= span[1]);
  const scale = {domain: [0, Math.max(1, top) * 1.1], nice: false};
  const color = {
    field: 'outcome',
    type: 'nominal',
    legend: null,
    scale: {domain: OUTCOMES, range: OUTCOMES.map((name) => `@${name}`)},
  };
  return {
    height: 84,
    title: `not succeeded (operations per ${width} ms)`,
    spec: {
      layer: [
        {
          data: {values: bars},
          mark: {type: 'rect'},
          encoding: {
            x: xOf(span, 'from', timeAxis),
            x2: {field: 'until'},
            color,
            y: {field: 'low', type: 'quantitative', scale, axis: leftAxis},
            y2: {field: 'high'},
            tooltip: [
              {field: 'outcome'},
              {field: 'mean', title: 'mean a bin', format: ',.1f'},
              {field: 't_ms', title: 'ms since the fault'},
            ],
          },
        },
        {
          data: {values: totals},
          mark: {type: 'point', filled: true, size: 9, color: '@ink', opacity: 0.55},
          encoding: {
            x: xOf(span, 'mid', timeAxis),
            y: {field: 'failed', type: 'quantitative', scale},
          },
        },
        faultRule(span),
      ],
    },
  };
}

function failedMax(rows, repetitions) {
  const bars = stacked(rows, repetitions).map((bar) => bar.high);
  const each = rows.map((row) => OUTCOMES.reduce((sum, name) => sum + row[name], 0));
  return Math.max(0, ...bars, ...each);
}

function groupsOf(events, span) {
  return groupEvents(events).map((group) => ({
    ...group,
    rows: alignBins(group.members.flatMap((event) => rowsOf(event, span))),
  }));
}

function panelOf(group, model, span, tops) {
  const {members, rows} = group;
  const run = members[0].run;
  const {color} = styleOf(model, run);
  const strip = eventStrip(members, span, {
    color,
    x: (field) => xOf(span, field, hiddenAxis),
    label: repetitionLabel,
    rule: faultRule(span),
  });
  return {
    ...titlesOf(group),
    rows: [
      recoveryStrip(members, span, color),
      ...(strip ? [strip] : []),
      throughputRow(rows, members, span, color, tops.done),
      errorsRow(rows, members, span, tops.failed),
    ],
  };
}

function legendOf(withEvents) {
  return [
    ...MARKS.map(([, label, shape]) => ({label, shape, mark: 'point', color: '@ink'})),
    ...(withEvents ? eventLegend('@muted') : []),
    {label: '95 % of the 5 s before', mark: 'rule', dash: [4, 3], width: 1, color: '@muted'},
    ...OUTCOMES.map((name) => ({label: name, mark: 'bar', color: `@${name}`})),
  ];
}

/** Builds the figure; absent when no fault was injected or its timeline is missing. */
export function faultTimeline(model) {
  const leaders = model.events.every((event) => /^kill-(leader|coordinator)/.test(event.fault));
  const title = leaders ? 'What a killed leader costs' : 'Throughput and errors around each fault';
  const events = model.events.filter((event) => event.run.timeline?.length);
  if (events.length === 0) {
    const why =
      model.events.length === 0
        ? 'no run injected a fault (faults.csv)'
        : 'the runs with faults have no timeline.csv';
    return {name: NAME, title: 'What a killed leader costs', absent: why};
  }
  const span = timeWindow(events);
  const groups = groupsOf(events, span);
  const {drawn, left} = choosePanels(groups, MAX_PANELS);
  const tops = {
    done: Math.max(1, ...drawn.flatMap((g) => g.rows.map((row) => row.completed_per_s))),
    failed: Math.max(...drawn.map((g) => failedMax(g.rows, g.members.length))),
  };
  const runs = [...new Set(events.map((event) => event.run))];
  const medians = groups.flatMap(({rows}) => binMedians(rows, span, ['completed_per_s', ...OUTCOMES]));
  const withEvents = runs.some((run) => run.events || run.simulated);
  const strips = withEvents
    ? 'Beneath: who led each repetition, and how the same faults went in the simulator. '
    : '';
  const omitted = omittedText(left);
  return {
    name: NAME,
    title,
    conditions: conditions(runs),
    legend: legendOf(withEvents),
    panels: drawn.map((group) => panelOf(group, model, span, tops)),
    minPanel: 300,
    maxColumns: 3,
    yExtent: withEvents ? EVENT_LABELS : 50,
    data: groups.flatMap((group) => group.rows),
    medians,
    caption:
      'Top: when each repetition noticed the fault, answered again and was back to 95 %, in ' +
      `milliseconds after it. ${strips}Middle: operations completed per second, thin lines for repetitions, ` +
      'the thick line for their median. Bottom: operations that did not succeed, as the mean of the ' +
      `repetitions (bars) and each repetition's sum (points).${intervalText(medians, 'Bands')}${omitted}`,
  };
}
