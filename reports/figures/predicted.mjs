// What models predict beside what was measured: a queue from the cost of messages, and the simulator
// from the links.

import {conditions} from '../conditions.mjs';
import {isNumber, perSecond, significant} from '../format.mjs';
import {intervalFields, intervalText} from '../intervals.mjs';
import {groupBy} from '../model.mjs';
import {LARGE_ERROR, md1Wait, meanLatency, mm1Wait, queueModels, simulatedLatencies} from '../queueing.mjs';
import {errorBars, logDomain, logTicks, SHORT_NUMBER, styleOf} from './style.mjs';

const NAME = 'predicted';
const TITLE = 'What models predict';
const MOST_PANELS = 12;
const LABELS = 150;
// The curve is drawn up to here; at 1 the queue has no end.
const FULLEST = 0.98;
const STEPS = 60;

/** "+12 %". */
export function errorText(error) {
  if (!isNumber(error)) return null;
  return `${error < 0 ? '−' : '+'}${significant(Math.abs(error) * 100, 2)} %`;
}

function curveOf(found) {
  const from = found.points[0].rate;
  const to = Math.max(FULLEST * found.capacity, from * 1.01);
  return Array.from({length: STEPS + 1}, (_, step) => {
    const rate = from * (to / from) ** (step / STEPS);
    const at = (wait) => 1e3 * (found.base + wait(rate, found.service));
    return {rate, md1_ms: at(md1Wait), mm1_ms: at(mm1Wait)};
  }).filter((row) => isNumber(row.md1_ms) && isNumber(row.mm1_ms));
}

function measuredOf(found) {
  return found.points.flatMap((point) =>
    point.runs.map((run) => ({
      rate: run.summary.achieved_ops_per_s,
      latency_ms: meanLatency(run) * 1e3,
      predicted_ms: isNumber(point.predicted) ? point.predicted * 1e3 : null,
      error: point.calibrated ? 'taken from here' : (errorText(point.error) ?? 'beyond its capacity'),
      run: run.id,
    })),
  );
}

function mediansOf(found) {
  return found.points.map(({rate, measured, interval}) => {
    return {rate, latency_ms: measured * 1e3, ...intervalFields('latency_ms', interval, 1e3)};
  });
}

function queueSpec(found, model) {
  const {color, shape} = styleOf(model, found.run);
  const curve = curveOf(found);
  const measured = measuredOf(found);
  const rates = [...curve, ...measured].map((row) => row.rate);
  const xDomain = logDomain([...rates, found.capacity]);
  const yDomain = logDomain([...curve.map((row) => row.md1_ms), ...measured.map((row) => row.latency_ms)]);
  const log = (field, domain, axis) => ({
    field,
    type: 'quantitative',
    scale: {type: 'log', domain, nice: false, clamp: true},
    axis: {values: logTicks(domain), ...axis},
  });
  const x = log('rate', xDomain, {title: 'achieved placements per second', labelExpr: SHORT_NUMBER});
  const y = (field) => log(field, yDomain, {title: null, format: '~g', minExtent: 44, maxExtent: 44});
  const line = (field, dash) => ({
    data: {values: curve},
    mark: {type: 'line', color, strokeDash: dash, strokeWidth: 1.6, clip: true},
    encoding: {x, y: y(field)},
  });
  return {
    layer: [
      {
        data: {values: [{rate: found.capacity}]},
        mark: {type: 'rule', color: '@muted', strokeDash: [2, 3]},
        encoding: {x},
      },
      line('md1_ms', [1, 0]),
      line('mm1_ms', [4, 3]),
      ...errorBars(mediansOf(found), {x, y: y('latency_ms'), mark: {color}}),
      {
        data: {values: measured},
        mark: {type: 'point', filled: true, color, shape, size: 50, opacity: 0.8},
        encoding: {
          x,
          y: y('latency_ms'),
          tooltip: [
            {field: 'run'},
            {field: 'latency_ms', title: 'measured (ms)', format: ',.3~f'},
            {field: 'predicted_ms', title: 'M/D/1 (ms)', format: ',.3~f'},
            {field: 'error', title: 'error'},
          ],
        },
      },
    ],
  };
}

function queuePanel(found, model) {
  const errors = found.points.map((point) => errorText(point.error)).filter(Boolean);
  const off = errors.length ? `off by ${errors.join(', ')}` : 'no rate left below its capacity';
  return {
    series: found.series,
    title: `${found.series}: mean latency (ms, log)`,
    subtitle: `${found.setting ? `${found.setting}: ` : ''}${off}; capacity ${perSecond(found.capacity)}`,
    rows: [{height: 200, spec: queueSpec(found, model)}],
  };
}

function simulatedSpec(rows, model) {
  const order = [...new Set(rows.map((row) => row.at))];
  const y = {
    field: 'at',
    type: 'ordinal',
    scale: {domain: order},
    axis: {title: null, minExtent: LABELS, maxExtent: LABELS, labelLimit: LABELS - 8, domain: false},
  };
  const domain = logDomain(rows.flatMap((row) => [row.measured_ms_low, row.measured_ms_high, row.predicted_ms]));
  const x = (field) => ({
    field,
    type: 'quantitative',
    scale: {type: 'log', domain, nice: false},
    axis: {title: null, values: logTicks(domain), format: '~g', grid: true},
  });
  const names = model.algorithms;
  const range = names.map((algorithm) => styleOf(model, {algorithm, nodes: 3}).color);
  const color = {field: 'algorithm', type: 'nominal', legend: null, scale: {domain: names, range}};
  const tooltip = [
    {field: 'at'},
    {field: 'measured_ms', title: 'measured (ms)', format: ',.3~f'},
    {field: 'predicted_ms', title: 'simulated (ms)', format: ',.3~f'},
    {field: 'error'},
  ];
  const points = (field, filled, size) => ({
    data: {values: rows},
    mark: {type: 'point', shape: 'circle', filled, size, strokeWidth: 1.8},
    encoding: {x: x(field), y, color, tooltip},
  });
  const bars = errorBars(rows, {x: x('measured_ms'), y, color, along: 'x'});
  return {layer: [points('predicted_ms', false, 130), ...bars, points('measured_ms', true, 40)]};
}

function simulatedRows(found) {
  return found.map((cell) => ({
    at: `${cell.run.algorithm} ${cell.run.nodes} @ ${cell.load.replace(' offered', '').replace(' in flight', ' out')}`,
    algorithm: cell.run.algorithm,
    nodes: cell.run.nodes,
    measured_ms: cell.measured * 1e3,
    ...intervalFields('measured_ms', cell.interval, 1e3),
    predicted_ms: cell.predicted * 1e3,
    error: errorText(cell.error),
  }));
}

function simulatedPanels(found, model) {
  return [...groupBy(found, (cell) => cell.links)].map(([links, cells]) => {
    const rows = simulatedRows(cells);
    return {
      title: `${links}: median latency (ms, log)`,
      subtitle: `simulated off by ${rows.map((row) => row.error).join(', ')}`,
      rows: [{height: Math.max(40, 24 * rows.length), spec: simulatedSpec(rows, model)}],
    };
  });
}

/** Whether there is anything that a model says of these runs. */
export function isPredicted(model) {
  return queueModels(model).length > 0 || simulatedLatencies(model).length > 0;
}

function dataOf(queues, simulated) {
  const row = (by, {series, load}, of, predicted, error) => {
    const {measured, interval} = of;
    return {model: by, series, load, measured, ...intervalFields('measured', interval), predicted, error};
  };
  return [
    ...queues.flatMap((q) => [
      ...q.points.map((p) => row('M/D/1 mean latency (s)', {series: q.series, load: p.load}, p, p.predicted, p.error)),
      row(
        'capacity (operations/s)',
        {series: q.series, load: q.setting},
        {measured: q.saturation},
        q.capacity,
        q.capacityError,
      ),
    ]),
    ...simulated.map((s) => row('simulated p50 (s)', s, s, s.predicted, s.error)),
  ].map((entry) => ({...entry, predicted: isNumber(entry.predicted) ? entry.predicted : null}));
}

/** Builds the figure of a model of which isPredicted() holds. */
export function predicted(model) {
  const queues = queueModels(model);
  const simulated = simulatedLatencies(model);
  const runs = [...queues.flatMap((q) => q.points.flatMap((p) => p.runs)), ...simulated.flatMap((s) => s.runs)];
  const data = dataOf(queues, simulated);
  const panels = [
    ...queues.map((found) => queuePanel(found, model)),
    ...simulatedPanels(simulated, model),
  ];
  return {
    name: NAME,
    title: TITLE,
    conditions: conditions([...new Set(runs)]),
    legend: [
      {label: 'measured', mark: 'point', shape: 'circle', color: '@ink'},
      ...(queues.length ? [{label: 'M/D/1', mark: 'line', color: '@ink', width: 1.6}] : []),
      ...(queues.length ? [{label: 'M/M/1', mark: 'line', color: '@ink', width: 1.6, dash: [4, 3]}] : []),
      ...(queues.length ? [{label: 'its capacity', mark: 'line', color: '@muted', width: 1.2, dash: [2, 3]}] : []),
      ...(simulated.length ? [{label: 'simulated', mark: 'point', shape: 'circle', color: '@ink', filled: false}] : []),
    ],
    panels: panels.slice(0, MOST_PANELS),
    minPanel: 320,
    maxColumns: 2,
    yExtent: simulated.length ? LABELS : 44,
    data,
    caption: caption(queues, simulated, panels.length) + intervalText(data),
  };
}

function caption(queues, simulated, panels) {
  const parts = [];
  if (queues.length) {
    parts.push(
      'The queue is that of the busiest node, or of the host where its processors are busier: messages ' +
        'handled there for an operation, times what one costs. The cost is measured at the fewest nodes ' +
        'of a cluster of the strategy, at the highest rate carried; what does not queue is taken from the lowest rate of each ' +
        'line, which therefore has no error. Latency is the mean here. Under load operations share messages and ' +
        'wake-ups, so that a capacity that is far above the highest rate is an estimate from below.',
    );
  }
  if (simulated.length) {
    parts.push('The simulator knows links and the strategy, and takes no time for processors.');
  }
  parts.push(`What errors above ${LARGE_ERROR * 100} % leave out stands in the table of the models.`);
  if (panels > MOST_PANELS) parts.push(`${panels - MOST_PANELS} further panels are not drawn.`);
  return parts.join(' ');
}
