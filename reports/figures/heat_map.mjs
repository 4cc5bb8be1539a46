// Throughput and p99 over node count and read share, as a map for each strategy.

import {conditions} from '../conditions.mjs';
import {isNumber, list, significant} from '../format.mjs';
import {intervalText, intervalWords} from '../intervals.mjs';
import {groupBy} from '../model.mjs';
import {SPEED, groupsOver, mediansOver, panelsOf, rowsOver} from './over.mjs';

const MEASURES = [
  ['achieved_ops_per_s', 'operations per second', ['@heat0', '@heat1'], 'linear'],
  ['p99_ms', 'p99 latency (ms)', ['@warm0', '@warm1'], 'log'],
];
const MAX_PANELS = 24;
const ROW = 38;
const MANY_SHARES = 4; // more columns than these have no room for intervals

const PERCENT = "format(100 * datum.value, '.4~r')";

const several = (runs, pick) => new Set(runs.map(pick)).size > 1;

/** Strategies that were measured at several node counts and read shares, as groupsOver() has them. */
export function mapped(model) {
  return groupsOver(model, ['read_share'], () => true)
    .map((group) => {
      const kept = [...groupBy(group.runs, (run) => run.algorithm).values()].filter((runs) => {
        return several(runs, (run) => run.nodes) && several(runs, (run) => run.setting.read_share);
      });
      return {...group, runs: kept.flat().filter((run) => isNumber(run.manifest.read_share))};
    })
    .filter(({runs}) => runs.length > 0)
    .map((group) => ({
      ...group,
      rows: rowsOver(group, SPEED, (run) => ({read_share: run.manifest.read_share})),
    }));
}

const UNITS = [
  [1e6, ' M'],
  [1e3, ' k'],
  [1, ''],
];

/** Numbers in the unit of the largest that ends: "28.6–29.2 k"; "20–∞" above the timeout. */
function inUnits(values) {
  const largest = Math.max(0, ...values.filter(isNumber));
  const [by, unit] = UNITS.find(([least]) => largest >= least) ?? UNITS[2];
  const show = (value) => (value === Infinity ? '∞' : significant(value / by));
  return `${values.map(show).join('–')}${unit}`;
}

/** A number in full, as tooltips have it. */
const inFull = (value) =>
  value === Infinity ? 'above the timeout' : value.toLocaleString('en-US', {maximumFractionDigits: 3});

/** The values of a measure as the colours of the map have them: a share of the way between the ends. */
function shareOf(value, [low, high], kind) {
  if (value === Infinity) return 1;
  if (high <= low) return 0;
  const at = kind === 'log' ? Math.log : (v) => v;
  return (at(value) - at(low)) / (at(high) - at(low));
}

function mapOf(medians, all, [field, title, ramp, kind]) {
  const known = (row) => row[field] !== null && (kind === 'linear' || row[field] > 0);
  const values = all.filter(known).map((row) => row[field]).filter(isNumber);
  const ends = [Math.min(...values), Math.max(...values)];
  const tiles = medians.filter(known).map((row) => {
    const [value, low, high] = [row[field], row[`${field}_low`], row[`${field}_high`]];
    return {
      algorithm: row.algorithm,
      nodes: row.nodes,
      read_share: row.read_share,
      full: intervalWords({median: value, low, high}, inFull),
      interval: row[`${field}_interval`],
      load: row.load,
      heat: shareOf(value, ends, kind),
      text: inUnits([value]),
      spread: inUnits([low, high]),
    };
  });
  if (tiles.length === 0) return null;
  const sorted = (name) => [...new Set(medians.map((row) => row[name]))].sort((a, b) => a - b);
  const x = {
    field: 'read_share',
    type: 'ordinal',
    scale: {domain: sorted('read_share')},
    axis: {title: 'share of reads', labelAngle: 0, labelExpr: `${PERCENT} + ' %'`},
  };
  const y = {
    field: 'nodes',
    type: 'ordinal',
    scale: {domain: sorted('nodes').reverse()},
    axis: {title: 'nodes', minExtent: 24, maxExtent: 24},
  };
  const tooltip = [
    {field: 'algorithm', title: 'strategy'},
    {field: 'nodes'},
    {field: 'read_share', title: 'share of reads', format: '.4~%'},
    {field: 'full', title},
    {field: 'interval', title: 'the interval is the'},
    {field: 'load'},
  ];
  const color = {
    field: 'heat',
    type: 'quantitative',
    legend: null,
    scale: {domain: [0, 1], range: ramp, interpolate: 'lab'},
  };
  const text = (words, mark) => ({
    data: {values: tiles},
    mark: {type: 'text', baseline: 'middle', ...mark},
    encoding: {
      x,
      y,
      text: {field: words},
      color: {condition: {test: 'datum.heat > 0.45', value: '@surface'}, value: '@ink'},
    },
  });
  const roomy = x.scale.domain.length <= MANY_SHARES;
  return {
    height: ROW * y.scale.domain.length,
    full: true,
    spec: {
      layer: [
        {
          data: {values: tiles},
          mark: {type: 'rect', stroke: '@surface', strokeWidth: 2},
          encoding: {x, y, color, tooltip},
        },
        text('text', {fontSize: 12, fontWeight: 600, dy: roomy ? -6 : 0}),
        ...(roomy ? [text('spread', {fontSize: 10, dy: 9})] : []),
      ],
    },
  };
}

/** Builds the figure of a model that has mapped() groups. */
export function heatMap(model) {
  const groups = mapped(model);
  const runs = groups.flatMap((group) => group.runs);
  const data = groups.flatMap((group) => group.rows);
  const medians = mediansOver(data, SPEED, ['read_share']);
  const panels = panelsOf(medians).flatMap((part) =>
    [...groupBy(part, (row) => row.algorithm)].flatMap(([algorithm, own]) =>
      MEASURES.flatMap((measure) => {
        const row = mapOf(own, medians, measure);
        const subtitle = own[0].setting || undefined;
        return row ? [{title: `${algorithm}: ${measure[1]}`, subtitle, rows: [row]}] : [];
      }),
    ),
  );
  return {
    name: 'heat-map',
    title: 'Node count and share of reads',
    conditions: conditions(runs),
    legend: [],
    panels: panels.slice(0, MAX_PANELS),
    minPanel: 270,
    maxColumns: 2,
    yExtent: 34,
    data,
    medians,
    caption:
      `Medians over repetitions and, smaller, their interval; at ${list([...new Set(data.map((row) => row.load))])}. ` +
      'Darker (in the dark theme: lighter) is more: more throughput on the left, slower on the right. ' +
      `Maps of one measure share their colours; latency's are logarithmic.` +
      `${data.some((row) => row.p99_ms === Infinity) ? ' ∞: above the timeout.' : ''}` +
      intervalText(medians, 'Smaller numbers'),
  };
}
