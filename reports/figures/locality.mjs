// How long an operation takes for clients of each region.

import {bySetting, commonLoad} from '../model.mjs';
import {conditions} from '../conditions.mjs';
import {isNumber} from '../format.mjs';
import {intervalText, summarized} from '../intervals.mjs';
import {
  algorithmScales,
  errorBars,
  logDomain,
  logTicks,
  MAX_SETTINGS,
  panelTitle,
  styleOf,
} from './style.mjs';

const NAME = 'locality';
const TITLE = 'Latency by region of the client';
const LABELS = 110;
const PERCENTILES = ['p50', 'p99'];

/** Runs whose clients are somewhere in particular. */
export function placed(model) {
  return model.steady.filter((run) => run.summary.regions.length > 0);
}

// One load is drawn: regions times strategies times loads would be no figure any more.
function rowsOf(setting) {
  const load = commonLoad(setting.runs);
  return setting.runs
    .filter((run) => run.load.label === load.label)
    .flatMap((run) =>
      run.summary.regions.flatMap((region) =>
        PERCENTILES.map((percentile) => ({
          region: region.name,
          percentile,
          ms: isNumber(region.latency_us[percentile]?.us)
            ? region.latency_us[percentile].us / 1000
            : null,
          above: region.latency_us[percentile]?.above === true,
          algorithm: run.algorithm,
          nodes: run.nodes,
          load: load.label,
          setting: setting.title,
          repetition: run.repetition,
          run: run.id,
        })),
      ),
    );
}

/** The medians; what lies above the timeout is endless in them, although it is drawn at the timeout. */
function mediansOf(rows) {
  const endless = rows.map(({above, ...row}) => ({...row, ms: above ? Infinity : row.ms}));
  const key = (row) => `${row.percentile} ${row.algorithm} ${row.nodes} ${row.region}`;
  return summarized(endless, key, ['ms']);
}

function panelSpec(rows, model, order, domain) {
  const {color, shape} = algorithmScales(model, model.algorithms);
  const y = {
    field: 'region',
    type: 'ordinal',
    scale: {domain: order},
    axis: {title: null, minExtent: LABELS, maxExtent: LABELS, labelLimit: LABELS - 8},
  };
  const x = {
    field: 'ms',
    type: 'quantitative',
    scale: {type: 'log', domain, nice: false},
    axis: {values: logTicks(domain), format: '~s', title: 'milliseconds'},
  };
  const tooltip = [
    {field: 'region'},
    {field: 'algorithm', title: 'strategy'},
    {field: 'nodes', title: 'nodes'},
    {field: 'ms', title: 'milliseconds', format: ',.3~f'},
    {field: 'run', title: 'run'},
  ];
  const drawn = rows.filter((row) => row.ms > 0);
  const medians = mediansOf(rows).filter((row) => isNumber(row.ms) && row.ms > 0);
  return {
    layer: [
      ...errorBars(medians, {x, y, color, along: 'x'}),
      {
        data: {values: medians},
        mark: {type: 'point', filled: true, size: 110, opacity: 0.9},
        encoding: {x, y, color, shape, tooltip},
      },
      {
        data: {values: drawn},
        mark: {type: 'tick', thickness: 1.4, size: 14, opacity: 0.7},
        encoding: {x, y, color, tooltip},
      },
    ],
  };
}

/** Builds the figure of a model that has placed() runs. */
export function locality(model) {
  const runs = placed(model);
  const settings = bySetting(runs)
    .slice(0, MAX_SETTINGS)
    .map((setting) => ({...setting, rows: rowsOf(setting)}));
  const data = settings.flatMap((setting) => setting.rows);
  const domain = logDomain(data.map((row) => row.ms));
  const names = new Set(data.map((row) => row.algorithm));
  const medians = settings.flatMap((setting) => mediansOf(setting.rows));
  const panels = settings.flatMap((setting) => {
    const order = [...new Set(setting.rows.map((row) => row.region))];
    return PERCENTILES.map((percentile) => ({
      ...panelTitle(percentile, setting),
      rows: [
        {
          height: Math.max(60, 30 * order.length),
          spec: panelSpec(
            setting.rows.filter((row) => row.percentile === percentile),
            model,
            order,
            domain,
          ),
        },
      ],
    }));
  });
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions(runs),
    legend: model.algorithms
      .filter((name) => names.has(name))
      .map((algorithm) => ({label: algorithm, mark: 'point', ...styleOf(model, {algorithm, nodes: 3})})),
    panels,
    minPanel: 320,
    maxColumns: 2,
    yExtent: LABELS,
    data,
    medians,
    caption: caption(data) + intervalText(medians),
  };
}

function caption(data) {
  const above = data.filter((row) => row.above).length;
  const loads = [...new Set(data.map((row) => row.load))].join(', ');
  const beyond =
    above === 0
      ? ''
      : ` ${above} ${above === 1 ? 'value lies' : 'values lie'} above the time-out and ` +
        `${above === 1 ? 'stands' : 'stand'} at it; medians and intervals without an end are not drawn.`;
  return (
    `A client is in the region of its node, beside it; nodes are spread over the regions in turn. At ` +
    `${loads}.${beyond} Ticks are repetitions, shapes their medians.`
  );
}
