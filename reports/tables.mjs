// The tables of the page: plain HTML from the model, every run in them.

import {asText} from './read.mjs';
import {errorText} from './figures/predicted.mjs';
import {intervalName, intervalWords, medianInterval} from './intervals.mjs';
import {bySetting, cells, cpuTotal, groupBy, hostName, percentileUs} from './model.mjs';
import {groupEvents} from './figures/time_axis.mjs';
import {LARGE_ERROR, leftOut, queueModels, simulatedLatencies} from './queueing.mjs';
import {
  MISSING,
  bytes,
  count,
  duration,
  escapeHtml,
  isNumber,
  list,
  perSecond,
  percentile,
  plural,
  recovery,
  significant,
} from './format.mjs';

/** A table. `columns` are {title, text: row → string, number?: bool, html?: bool}. */
function table(id, columns, rows) {
  const head = columns.map((c) => `<th${c.number ? ' class="n"' : ''}>${escapeHtml(c.title)}</th>`);
  const body = rows.map((row) => {
    const cells = columns.map((c) => {
      const text = c.html ? c.text(row) : escapeHtml(c.text(row));
      return `<td${c.number ? ' class="n"' : ''}>${text}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return (
    `<div class="scroll" tabindex="0"><table id="${id}"><thead><tr>${head.join('')}</tr></thead>` +
    `<tbody>${body.join('\n')}</tbody></table></div>`
  );
}

const number = (title, text) => ({title, text, number: true});

function verdict(run) {
  const value = run.summary.consistency.verdict;
  return `<span class="verdict ${escapeHtml(value)}">${escapeHtml(value.replace('_', ' '))}</span>`;
}

function strategy(run) {
  return `<span class="key" data-color="${escapeHtml(run.color)}"></span>${escapeHtml(run.series)}`;
}

/** The load generator: what it used, and what of p99 is its own lateness. */
function generator(run) {
  const {limited, limited_by, generator_cpu_share, own_share_p99} = run.summary;
  if (limited) {
    return `<span class="verdict fail">limited${limited_by === null ? '' : `: ${escapeHtml(limited_by)}`}</span>`;
  }
  const percent = (share) => `${significant(share * 100, 2)} %`;
  const parts = [];
  if (isNumber(generator_cpu_share)) parts.push(`${percent(generator_cpu_share)} of a core`);
  if (isNumber(own_share_p99)) parts.push(`${percent(own_share_p99)} of p99`);
  return parts.length ? parts.join(', ') : MISSING;
}

/**
 * A median with its interval, each number shown by `show`: "3.1 (2.9 – 3.4)". Where not all of a row's
 * repetitions have the figure it says what its interval is: "3.1 (2.9 – 3.4), range of 2".
 */
function withInterval(values, show) {
  const of = medianInterval(values);
  if (of === null) return MISSING;
  const words = intervalWords(of, show);
  return of.n === values.length ? words : `${words}, ${intervalName(of.n)}`;
}

/** The medians over the repetitions of the same thing, with their intervals. */
export function mediansTable(runs) {
  const over = (title, pick, show) =>
    number(title, (cell) => withInterval(cell.map((run) => pick(run.summary)), show));
  const settings = new Map(bySetting(runs).map(({id, title}) => [id, title]));
  const latency = (us) => (us === Infinity ? 'above timeout' : duration(us));
  return table(
    'medians',
    [
      {title: 'strategy', text: (cell) => strategy(cell[0]), html: true},
      {title: 'load', text: (cell) => cell[0].load.label},
      {title: 'setting', text: (cell) => settings.get(cell[0].settingId) || MISSING},
      {title: 'interval', text: (cell) => intervalName(cell.length)},
      over('achieved', (x) => x.achieved_ops_per_s, perSecond),
      over('p50', (x) => percentileUs(x.latency_us.p50), latency),
      over('p99', (x) => percentileUs(x.latency_us.p99), latency),
      over('p99.9', (x) => percentileUs(x.latency_us.p999), latency),
      over('CPU nodes and clients (s/M)', cpuTotal, significant),
      over('messages/op', (x) => x.messages_per_op, significant),
      over('bytes/op', (x) => x.bytes_per_op, significant),
      over('refused', (x) => x.refused, count),
    ],
    cells(runs),
  );
}

/** What the repetitions of each fault cost: medians with their intervals. */
export function recoveryTable(events) {
  const time = (ms) => (isNumber(ms) ? `${count(ms)} ms` : 'never');
  const of = (title, pick, show) =>
    number(title, ({members}) => withInterval(members.map(pick), show));
  return table(
    'recoveries',
    [
      {title: 'strategy', text: ({members}) => strategy(members[0].run), html: true},
      {title: 'fault', text: ({members}) => members[0].fault},
      {title: 'load', text: ({members}) => members[0].run.load.label},
      {title: 'interval', text: ({members}) => intervalName(members.length)},
      of('noticed', (e) => e.noticed_ms ?? Infinity, time),
      of('first success', (e) => e.first_success_ms ?? Infinity, time),
      of('back to 95 %', (e) => e.back_to_95_ms ?? Infinity, time),
      of('pixels refused', (e) => e.refused, count),
      of('pixels unknown', (e) => e.unknown, count),
      of('pixels unsent', (e) => e.unsent, count),
    ],
    groupEvents(events),
  );
}

/** Every run with its figures. */
export function runsTable(runs) {
  const figure = (title, pick) => number(title, (run) => pick(run.summary));
  return table(
    'runs',
    [
      {title: 'strategy', text: strategy, html: true},
      {title: 'load', text: (run) => run.load.label},
      {title: 'faults', text: (run) => run.faultName},
      number('rep', (run) => asText(run.repetition) ?? MISSING),
      figure('achieved', (x) => perSecond(x.achieved_ops_per_s)),
      figure('p50', (x) => percentile(x.latency_us.p50)),
      figure('p99', (x) => percentile(x.latency_us.p99)),
      figure('p99.9', (x) => percentile(x.latency_us.p999)),
      figure('completed', (x) => count(x.completed)),
      figure('refused', (x) => count(x.refused)),
      figure('unknown', (x) => count(x.unknown)),
      figure('unsent', (x) => count(x.unsent)),
      figure('CPU nodes (s/M)', (x) => significant(x.cpu_nodes)),
      figure('of it system', (x) => significant(x.cpu_system)),
      figure('CPU clients (s/M)', (x) => significant(x.cpu_clients)),
      figure('messages/op', (x) => significant(x.messages_per_op)),
      figure('bytes/op', (x) => significant(x.bytes_per_op)),
      figure('switches/op', (x) => significant(x.switches_per_op)),
      figure('forced/op', (x) => significant(x.forced_switches_per_op)),
      figure('written/op (bytes)', (x) => significant(x.written_bytes_per_op)),
      figure('write amplification', (x) => significant(x.write_amplification)),
      figure('peak memory', (x) => bytes(x.peak_rss_bytes)),
      figure('elections', (x) => count(x.elections)),
      figure('of them false', (x) => count(x.false_elections)),
      figure('blocked (ms, all nodes)', (x) => count(x.blocked_ms)),
      {title: 'generator', text: generator, html: true},
      {title: 'verdict', text: verdict, html: true},
      {
        title: 'run',
        text: (run) => `<a href="#run-${run.at}">${escapeHtml(run.id)}</a>`,
        html: true,
      },
    ],
    runs,
  );
}

/** What each node cost in each run that tells it; the nodes of a run follow each other. */
export function nodesTable(runs) {
  const figure = (title, name) => number(title, ({own}) => significant(own[name]));
  return table(
    'nodes',
    [
      {title: 'strategy', text: ({run}) => strategy(run), html: true},
      {title: 'load', text: ({run}) => run.load.label},
      {title: 'faults', text: ({run}) => run.faultName},
      number('rep', ({run}) => asText(run.repetition) ?? MISSING),
      number('node', ({own}) => String(own.node)),
      figure('CPU (s/M)', 'cpu_s_per_mops'),
      figure('user', 'user_s_per_mops'),
      figure('system', 'system_s_per_mops'),
      figure('messages/op', 'messages_per_op'),
      figure('switches/op', 'voluntary_switches_per_op'),
      figure('forced/op', 'involuntary_switches_per_op'),
      figure('written/op (bytes)', 'written_bytes_per_op'),
    ],
    runs.flatMap((run) => (run.summary.by_node ?? []).map((own) => ({run, own}))),
  );
}

const SIMULATOR_LACKS =
  'leaves out processors, their queues, and waking threads; and its disk takes up to 0.5 ms a sync, ' +
  'whatever the durability';

/** How a queue's capacity comes about. */
function capacityText(q) {
  const messages = `${significant(q.messages)} messages × ${significant(q.cost * 1e6)} µs (of ${q.from})`;
  if (q.bottleneck === 'node') return `capacity: ${messages}`;
  const clients = `${significant(q.clients * 1e6)} µs of clients`;
  return `capacity: (${messages} + ${clients}) / ${plural(q.cores, 'core')}`;
}

/** What each model predicts, beside what was measured, and what it leaves out where that is much. */
export function modelsTable(model) {
  const latency = (s) => (isNumber(s) ? duration(s * 1e6) : MISSING);
  const asMeasured = ({interval}) => intervalWords(interval, latency);
  const queues = queueModels(model).flatMap((q) => {
    const row = (what, load, measured, predicted, error, note) => {
      return {run: q.run, what, load, measured, predicted, error, bottleneck: q.bottleneck, note};
    };
    return [
      ...q.points.map((p) =>
        row(
          `M/D/1${q.setting ? `, ${q.setting}` : ''}: mean latency`,
          p.load,
          asMeasured(p),
          isNumber(p.predicted) ? latency(p.predicted) : 'endless',
          p.calibrated ? null : isNumber(p.predicted) ? p.error : Infinity,
          p.calibrated ? 'taken from here' : '',
        ),
      ),
      row(
        capacityText(q),
        q.bottleneck === 'node' ? 'the busiest node' : 'the processors of the host',
        isNumber(q.saturation) ? perSecond(q.saturation) : MISSING,
        perSecond(q.capacity),
        q.capacityError,
        '',
      ),
    ];
  });
  const simulated = simulatedLatencies(model).map((s) => ({
    run: s.run,
    what: `simulator, ${s.links}: p50`,
    load: s.load,
    measured: asMeasured(s),
    predicted: latency(s.predicted),
    error: s.error,
    note: Math.abs(s.error) > LARGE_ERROR ? SIMULATOR_LACKS : '',
  }));
  const note = (row) => {
    if (row.note || row.bottleneck === undefined || !(Math.abs(row.error ?? 0) > LARGE_ERROR)) return row.note;
    return `leaves out ${list(leftOut(row.run, row.bottleneck))}`;
  };
  return table(
    'models',
    [
      {title: 'strategy', text: (row) => strategy(row.run), html: true},
      {title: 'model', text: (row) => row.what},
      {title: 'at', text: (row) => row.load},
      number('measured', (row) => row.measured),
      number('predicted', (row) => row.predicted),
      number('error', (row) => errorText(row.error) ?? MISSING),
      {title: 'remark', text: note},
    ],
    [...queues, ...simulated],
  );
}

/** Every injected fault: recovery in ms, and the pixels that it cost. */
export function faultsTable(events) {
  return table(
    'faults',
    [
      {title: 'strategy', text: (e) => strategy(e.run), html: true},
      {title: 'fault', text: (e) => (e.detail ? `${e.fault} (${e.detail})` : e.fault)},
      {title: 'node', text: (e) => e.node ?? MISSING},
      {title: 'load', text: (e) => e.run.load.label},
      number('rep', (e) => asText(e.run.repetition) ?? MISSING),
      number('injected at', (e) => `${significant(e.injected_ms / 1000)} s`),
      number('noticed', (e) => recovery(e.noticed_ms)),
      number('first success', (e) => recovery(e.first_success_ms)),
      number('back to 95 %', (e) => recovery(e.back_to_95_ms)),
      number('unavailable at most', (e) => {
        return e.unavailable_ms === undefined ? MISSING : recovery(e.unavailable_ms);
      }),
      number('pixels refused', (e) => count(e.refused)),
      number('pixels unknown', (e) => count(e.unknown)),
      number('pixels unsent', (e) => count(e.unsent)),
    ],
    events,
  );
}

const ANOMALIES = [
  ['lost', 'lost'],
  ['superseded', 'superseded'],
  ['older_wins', 'older wins'],
  ['duplicates', 'duplicates'],
  ['divergent_cells_max', 'divergent cells (max)'],
  ['lag_max', 'lag (max)'],
];

/** Stale reads as a share of all, and how stale at most. */
function staleFigures(group) {
  const known = group.map((run) => run.summary.consistency).filter((c) => c.reads > 0);
  if (known.length === 0) return MISSING;
  const sum = (name) => known.reduce((total, c) => total + (c[name] ?? 0), 0);
  const most = (name) => Math.max(...known.map((c) => c[name] ?? 0));
  if (sum('stale_reads') === 0) return `0 of ${count(sum('reads'))}`;
  return (
    `${significant((100 * sum('stale_reads')) / sum('reads'), 2)} %, at most ` +
    `${duration(most('stale_ms_max') * 1000)} and ${plural(most('stale_versions_max'), 'version')}`
  );
}

/** The slowest of the group's healings, from the fault's end until all replicas had caught up. */
function afterHealing(group, events) {
  const ended = events.filter((event) => group.includes(event.run) && isNumber(event.ended_ms));
  if (ended.length === 0) return MISSING;
  if (ended.some((event) => !isNumber(event.converged_ms))) return 'never';
  return duration(Math.max(...ended.map((event) => event.converged_ms)) * 1000);
}

/**
 * What each strategy did to data, per strategy, fault schedule, load and setting: verdicts, summed
 * anomalies and the worst distances, of the runs that were recorded.
 */
export function consistencyTable(runs, events) {
  const recorded = runs.filter((run) => run.summary.consistency.reads !== null);
  const settings = new Map(bySetting(recorded).map(({id, title}) => [id, title]));
  const groups = cells(recorded).sort((a, b) =>
    a[0].faultName < b[0].faultName ? -1 : a[0].faultName > b[0].faultName ? 1 : 0,
  );
  const total = (group, name) => {
    const values = group.map((run) => run.summary.consistency[name]).filter(isNumber);
    if (values.length === 0) return null;
    return name.endsWith('_max') ? Math.max(...values) : values.reduce((a, b) => a + b, 0);
  };
  const tally = (group, value) => {
    const n = group.filter((run) => run.summary.consistency.verdict === value).length;
    return n === 0 ? '' : `<span class="verdict ${value}">${n} ${value.replace('_', ' ')}</span>`;
  };
  return table(
    'consistency',
    [
      {title: 'strategy', text: (g) => strategy(g[0]), html: true},
      {title: 'faults', text: (g) => g[0].faultName},
      {title: 'load', text: (g) => g[0].load.label},
      {title: 'setting', text: (g) => settings.get(g[0].settingId) || MISSING},
      {
        title: 'verdicts',
        html: true,
        text: (g) =>
          ['pass', 'fail', 'not_promised', 'not_checked']
            .map((value) => tally(g, value))
            .filter(Boolean)
            .join(' '),
      },
      ...ANOMALIES.map(([name, title]) => number(title, (g) => count(total(g, name)))),
      number('stale reads', staleFigures),
      number('caught up after healing', (g) => afterHealing(g, events)),
      number('converged (slowest)', (g) => {
        const checked = g.filter((run) => run.summary.consistency.verdict !== 'not_checked');
        const values = checked.map((run) => run.summary.consistency.converged_ms);
        if (values.length === 0) return MISSING;
        return values.every(isNumber) ? duration(Math.max(...values) * 1000) : 'never';
      }),
      {title: 'promise', text: (g) => asText(g[0].manifest.guarantee) ?? MISSING},
    ],
    groups,
  );
}

/** What the runs have in common or not, as name and values. */
export function factsTable(model) {
  const facts = [
    ['host', (m) => hostName(m.host)],
    [
      'disk sync (p50)',
      (m) => (m.host?.disk_sync_us_p50 ? duration(m.host.disk_sync_us_p50) : null),
    ],
    [
      'software',
      (m) => [m.software?.version, m.software?.commit].filter(Boolean).join(', ') || null,
    ],
    [
      'build',
      (m) => [m.software?.build_type, m.software?.compiler].filter(Boolean).join(', ') || null,
    ],
    ['seed', (m) => m.seed],
    ['durability', (m) => m.durability],
    ['reads', (m) => m.read_mode],
    ['routing', (m) => m.routing],
    ['loop', (m) => m.loop],
    ['batch', (m) => m.batch],
    ['window (closed loop)', (m) => (m.loop === 'closed' ? m.window : null)],
    ['workload', (m) => m.workload],
    ['links', (m) => m.links],
    ['transport', (m) => m.transport],
    ['canvas', (m) => m.canvas],
    ['clients', (m) => m.clients],
    ['measured', (m) => (isNumber(m.duration_s) ? `${m.duration_s} s` : null)],
    ['warm-up', (m) => (isNumber(m.warmup_s) ? `${m.warmup_s} s` : null)],
    ['recording', (m) => m.record],
  ];
  const rows = facts
    .map(([name, pick]) => {
      const values = [...groupBy(model.runs, (run) => asText(pick(run.manifest)) ?? '')].filter(
        ([v]) => v,
      );
      return {
        name,
        values: values.map(([value, runs]) => {
          return values.length > 1
            ? `${value} (${runs.length} of ${model.runs.length} runs)`
            : value;
        }),
      };
    })
    .filter((row) => row.values.length);
  const times = model.runs
    .map((run) => run.manifest.started_at)
    .filter(Boolean)
    .map(String)
    .sort();
  if (times.length)
    rows.push({name: 'started', values: [...new Set([times[0], times[times.length - 1]])]});
  return table(
    'facts',
    [
      {title: 'condition', text: (row) => row.name},
      {title: 'value', html: true, text: (row) => row.values.map(escapeHtml).join('<br>')},
    ],
    rows,
  );
}
