// What a strategy's options do to throughput and latency, where a sweep has measured several values.

import {bySetting, commonLoad, groupBy, percentileMs} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {isNumber, list} from '../format.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {endlessText} from './over.mjs';
import {logDomain, logTicks, MAX_SETTINGS, panelTitle, pointsOnMedians} from './style.mjs';

const MEASURES = [
  ['throughput', 'placements per second', (s) => s.achieved_ops_per_s],
  ['p50_ms', 'median latency, ms', (s) => percentileMs(s.latency_us.p50)],
];
const COLORS = ['@raft', '@bully_2pc', '@gossip_lww', '@other0', '@other1', '@other2'];
const SHAPES = ['circle', 'triangle-up', 'diamond', 'square', 'cross', 'triangle-down'];

/** The option along the x axis: the number with the most values, or the first that varies. */
export function axisOption(runs) {
  const names = Object.keys(runs[0].variedOptions);
  const values = (name) => [...new Set(runs.map((run) => run.variedOptions[name]))];
  const numbers = names.filter((name) => values(name).every(isNumber));
  const by = numbers.length ? numbers : names;
  return by.reduce((a, b) => (values(b).length > values(a).length ? b : a));
}

/** The other options of a run in words: "fencing none · pipeline 1". */
export function otherOptions(run, axis) {
  const others = Object.entries(run.variedOptions).filter(([name]) => name !== axis);
  return others.map(([name, value]) => `${name} ${value}`).join(' · ') || run.manifest.algorithm;
}

/** Steady runs of strategies whose options vary, by strategy, node count and setting at one load. */
export function variedGroups(model) {
  const varied = model.steady.filter((run) => Object.keys(run.variedOptions).length > 0);
  return bySetting(varied).flatMap((setting) => {
    const load = commonLoad(setting.runs);
    const runs = setting.runs.filter((run) => run.load.label === load.label);
    const key = (run) => `${run.manifest.algorithm} · ${run.nodes} nodes`;
    return [...groupBy(runs, key)].map(([name, members]) => {
      return {name, setting, load, runs: members, axis: axisOption(members)};
    });
  });
}

function rowsOf(group) {
  return group.runs.flatMap((run) =>
    MEASURES.map(([measure, , pick]) => {
      return {
        measure,
        strategy: group.name,
        series: run.series,
        others: otherOptions(run, group.axis),
        option: group.axis,
        at: run.variedOptions[group.axis],
        value: pick(run.summary),
        load: group.load.label,
        repetition: run.repetition,
        run: run.id,
      };
    }).filter((row) => row.value > 0), // endless ones, too: they count in medians
  );
}

function mediansOf(rows) {
  const key = (row) => `${row.measure}\u0001${row.strategy}\u0001${row.others}\u0001${row.at}`;
  return summarized(rows, key, ['value']);
}

function panelSpec(rows, names, option, title) {
  const by = (range) => {
    return {field: 'others', type: 'nominal', legend: null, scale: {domain: names, range}};
  };
  const color = by(names.map((_, at) => COLORS[at % COLORS.length]));
  const shape = by(names.map((_, at) => SHAPES[at % SHAPES.length]));
  const values = [...new Set(rows.map((row) => row.at))].sort((a, b) => (a < b ? -1 : 1));
  const x = {
    field: 'at',
    type: 'ordinal',
    scale: {domain: values},
    axis: {title: option, labelAngle: 0},
  };
  const domain = logDomain(rows.map((row) => row.value));
  const y = {
    field: 'value',
    type: 'quantitative',
    scale: {type: 'log', domain, nice: false},
    axis: {title: null, minExtent: 44, maxExtent: 44, format: '~s', values: logTicks(domain)},
  };
  const tooltip = [
    {field: 'others', title: 'options'},
    {field: 'at', title: option},
    {field: 'value', title, format: ',.3~f'},
    {field: 'run', title: 'run'},
  ];
  const ends = (row) => isNumber(row.value);
  return pointsOnMedians(rows.filter(ends), mediansOf(rows).filter(ends), 60, {x, y, color, shape, tooltip});
}

/** Builds the figure; some strategy's options vary. */
export function options(model) {
  const groups = variedGroups(model).slice(0, MAX_SETTINGS);
  const drawn = groups.map((group) => ({...group, rows: rowsOf(group)}));
  const names = [...new Set(drawn.flatMap((group) => group.rows.map((row) => row.others)))];
  const runs = groups.flatMap((group) => group.runs);
  const medians = drawn.flatMap((group) => mediansOf(group.rows));
  const panels = drawn.flatMap((group) =>
    MEASURES.flatMap(([measure, title]) => {
      const rows = group.rows.filter((row) => row.measure === measure);
      if (!rows.some((row) => isNumber(row.value))) return [];
      return [
        {
          ...panelTitle(`${group.name}: ${title}`, group.setting),
          rows: [{height: 220, spec: panelSpec(rows, names, group.axis, title)}],
        },
      ];
    }),
  );
  const data = drawn.flatMap((group) => group.rows);
  return {
    name: 'options',
    title: 'What options do',
    conditions: conditions(runs),
    legend: names.map((label, at) => {
      return {
        label,
        mark: 'line',
        color: COLORS[at % COLORS.length],
        shape: SHAPES[at % SHAPES.length],
        dash: [1, 0],
      };
    }),
    panels,
    minPanel: 320,
    maxColumns: 2,
    yExtent: 44,
    data,
    medians,
    caption:
      `At ${list([...new Set(groups.map((group) => group.load.label))])}. ` +
      'Every repetition is a point; lines join the medians. Both scales are logarithmic.' +
      `${endlessText(data, ['value'])}${intervalText(medians)}`,
  };
}
