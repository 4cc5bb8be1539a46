// What the figures show, in sentences made from the data alone.

import {splitEvents} from './figures/both_sides.mjs';
import {otherOptions, variedGroups} from './figures/options.mjs';
import {
  bySetting,
  cells,
  commonLoad,
  cpuTotal,
  groupBy,
  medianOf,
  percentileUs,
} from './model.mjs';
import {
  count,
  duration,
  isNumber,
  list,
  median,
  perSecond,
  plural,
  range,
  significant,
} from './format.mjs';

const SECOND = 1000;
const ROW_MS = 100; // of timelines
const strong = (text) => ({strong: text});
/** Of so many node counts on one sentence tells of all of them together. */
const MANY_SIZES = 3;

const SIZE = / · (\d+) nodes?/;
/** A series whatever its node count. */
const familyOf = (run) => run.series.replace(SIZE, '');

/**
 * Groups of items (with `runOf`) that one sentence is about: those alike in `key` and of one series, or of all node
 * counts of a strategy if there are many. Each is {name, items}.
 */
function families(items, runOf, key) {
  const all = groupBy(items, (item) => [key(item), familyOf(runOf(item))].join('\u0001'));
  return [...all.values()].flatMap((family) => {
    const sizes = [...new Set(family.map((item) => runOf(item).nodes))].sort((a, b) => a - b);
    if (sizes.length >= MANY_SIZES) {
      const [least, most] = [sizes[0], sizes[sizes.length - 1]];
      const name = runOf(family[0]).series.replace(SIZE, ` · ${least} to ${most} nodes`);
      return [{name, items: family}];
    }
    const each = groupBy(family, (item) => runOf(item).series);
    return [...each].map(([name, own]) => ({name, items: own}));
  });
}

/** What one series costs as a multiple of the unreplicated control at the same load. */
function againstControl(series, at, control) {
  const own = at.filter((run) => run.series === series);
  if (own.length === 0 || control.length === 0 || own[0].algorithm === 'unreplicated') return [];
  const ratio = (pick) => {
    const [a, b] = [medianOf(own, pick), medianOf(control, pick)];
    return isNumber(a) && isNumber(b) && b > 0 ? `${significant(a / b)}×` : null;
  };
  const cpu = ratio((run) => cpuTotal(run.summary));
  const p50 = ratio((run) => percentileUs(run.summary.latency_us.p50));
  const parts = [cpu && `${cpu} the CPU`, p50 && `${p50} the median latency`].filter(Boolean);
  if (parts.length === 0) return [];
  return [`; at ${at[0].load.label} it takes `, strong(list(parts)), ' of one unreplicated node'];
}

/** Of strategies that carried every load at each of many node counts: how fast they carried the highest. */
function carriedAtAllSizes(setting) {
  const open = setting.runs.filter((run) => run.manifest.loop !== 'closed');
  return [...groupBy(open, familyOf)].flatMap(([family, runs]) => {
    const offered = (cell) => medianOf(cell, (run) => run.summary.offered_ops_per_s);
    const all = cells(runs);
    const carriedAll = all.every((cell) => {
      return medianOf(cell, (run) => run.summary.achieved_ops_per_s) >= 0.95 * offered(cell);
    });
    const {label} = all.reduce((a, b) => (offered(b) > offered(a) ? b : a))[0].load;
    const own = all.filter((cell) => cell[0].load.label === label).sort((a, b) => a[0].nodes - b[0].nodes);
    const p99 = own.map((cell) => medianOf(cell, (run) => percentileUs(run.summary.latency_us.p99)));
    if (!carriedAll || own.length < MANY_SIZES || !p99.every(Number.isFinite)) return [];
    const limited = own.flat().some((run) => run.summary.limited);
    const sentence = [
      strong(family),
      ` carried all of ${label}, with a p99 of `,
      strong(list(p99.map((us, i) => `${duration(us)} (${plural(own[i][0].nodes, 'node')})`))),
      limited ? ' (the generator was the limit in some runs).' : '.',
    ];
    return [{family, sentence}];
  });
}

/** For each series: the most it carried, how fast, and its price against the control. */
function throughput(setting) {
  const together = carriedAtAllSizes(setting);
  const told = new Set(together.map(({family}) => family));
  const rest = {...setting, runs: setting.runs.filter((run) => !told.has(familyOf(run)))};
  return [...together.map(({sentence}) => sentence), ...(rest.runs.length ? throughputOfEach(rest) : [])];
}

function throughputOfEach(setting) {
  const load = commonLoad(setting.runs);
  const at = setting.runs.filter((run) => run.load.label === load.label);
  const control = at.filter((run) => run.algorithm === 'unreplicated');
  const best = new Map();
  for (const cell of cells(setting.runs)) {
    const achieved = medianOf(cell, (run) => run.summary.achieved_ops_per_s);
    const known = best.get(cell[0].series);
    if (!known || achieved > known.achieved) best.set(cell[0].series, {cell, achieved});
  }
  return [...best.values()].map(({cell, achieved}) => {
    const p99 = medianOf(cell, (run) => percentileUs(run.summary.latency_us.p99));
    const tail =
      p99 === null
        ? ''
        : p99 === Infinity
          ? ' with a p99 above the timeout'
          : ` with a p99 of ${duration(p99)}`;
    const limit = cell.some((run) => run.summary.limited) ? ' (the generator was the limit)' : '';
    return [
      strong(cell[0].series),
      ...carried(cell, achieved),
      tail,
      limit,
      ...againstControl(cell[0].series, at, control),
      '.',
    ];
  });
}

/** "carried all of the highest load" or "reached X, N % of what was offered". */
function carried(cell, achieved) {
  const offered = medianOf(cell, (run) => run.summary.offered_ops_per_s);
  const rate = strong(perSecond(achieved));
  if (cell[0].manifest.loop === 'closed') return [' reached ', rate, ` with ${cell[0].load.label}`];
  if (!offered) return [' reached ', rate];
  if (achieved >= 0.95 * offered) return [' carried ', rate, ', all that was offered,'];
  return [
    ' reached at most ',
    rate,
    `, ${significant((100 * achieved) / offered)} % of what was offered,`,
  ];
}

/** What each strategy's additional nodes cost, between its fewest and most, at the common load. */
function priceOfNodes(setting) {
  const load = commonLoad(setting.runs);
  const at = setting.runs.filter((run) => run.load.label === load.label);
  return [...new Set(at.map((run) => run.algorithm))].flatMap((algorithm) => {
    const own = cells(at.filter((run) => run.algorithm === algorithm)).sort(
      (a, b) => a[0].nodes - b[0].nodes,
    );
    if (own.length < 2) return [];
    const [few, many] = [own[0], own[own.length - 1]];
    const cpu = [few, many].map((cell) => medianOf(cell, (run) => cpuTotal(run.summary)));
    const sent = [few, many].map((cell) => medianOf(cell, (run) => run.summary.messages_per_op));
    const parts = [];
    if (cpu.every(isNumber)) {
      parts.push(
        `${significant(cpu[0])} → ${significant(cpu[1])} CPU-seconds per million operations`,
      );
    }
    if (sent.every(isNumber)) {
      parts.push(`${significant(sent[0])} → ${significant(sent[1])} messages per operation`);
    }
    if (parts.length === 0) return [];
    return [
      [
        `${algorithm} from ${few[0].nodes} to ${many[0].nodes} nodes at ${load.label}: `,
        strong(list(parts)),
        '.',
      ],
    ];
  });
}

/** Faults of one setting: what each cost, and how long. */
function recoveries(all) {
  return families(all, (event) => event.run, (event) => event.fault).map(({name, items: events}) => {
    const {fault} = events[0];
    const times = (field) => {
      const never = events.filter((e) => !isNumber(e[field])).length;
      const known = range(
        events.map((e) => e[field]),
        count,
      );
      if (never === events.length) return 'never';
      return `${known} ms${never ? ` (never in ${never} of ${events.length})` : ''}`;
    };
    const lost = ['refused', 'unknown', 'unsent'].map((name) => {
      return `${count(median(events.map((e) => e[name]).filter(isNumber)))} ${name}`;
    });
    const counts = events.some((e) => isNumber(e.refused))
      ? `; it cost ${list(lost)} operations`
      : '';
    const losses = [...new Set(events.map((e) => e.run))]
      .map((run) => run.summary.consistency.lost)
      .filter(isNumber);
    const gone = losses.length
      ? `; of what was acknowledged in ${plural(losses.length, 'run')} ${count(losses.reduce((a, b) => a + b, 0))} were lost`
      : '';
    const many =
      events.length > 1 ? ` (${plural(events.length, 'fault')}, medians of the counts)` : '';
    return [
      strong(`${name}, ${fault}`),
      events.some((e) => isNumber(e.noticed_ms))
        ? `: noticed after ${times('noticed_ms')}, first success after `
        : ': no change of leader was noticed, first success after ',
      strong(times('first_success_ms')),
      ', back to 95 % after ',
      strong(times('back_to_95_ms')),
      `${counts}${many}${gone}.`,
    ];
  });
}

/** Where the time of a recovery went, by the events: until the loss showed, who leads, a success. */
function recoveryParts(all) {
  return families(all, (event) => event.run, (event) => event.fault).flatMap(({name, items: events}) => {
    const parts = events.map(partsOf).filter(Boolean);
    if (parts.length === 0) return [];
    const times = (name) => strong(`${range(parts.map((p) => p[name]), count)} ms`);
    return [
      [
        strong(`${name}, ${events[0].fault}`),
        ': of the time to the first success ',
        times('noticed'),
        ' passed until the silence was noticed, ',
        times('elected'),
        ' until another leader was elected, and ',
        times('served'),
        ' until it had caught up and answered',
        parts.length < events.length ? ` (seen at ${parts.length} of ${events.length} faults).` : '.',
      ],
    ];
  });
}

function partsOf(event) {
  const events = event.run.events ?? [];
  const fault = events.filter((e) => e.event === 'fault')[event.number - 1];
  if (!fault) return null;
  const after = events.slice(events.indexOf(fault) + 1);
  const another = after.findIndex((e) => e.event === 'fault');
  const own = another < 0 ? after : after.slice(0, another);
  // Who leads may be seen as late as the first success: then they have one time.
  const next = (kind, from) => own.find((e) => e.event === kind && e.t_ms >= from)?.t_ms;
  const lost = next('leader_lost', fault.t_ms);
  const led = isNumber(lost) ? next('leader', lost) : null;
  const success = isNumber(led) ? next('success', led) : null;
  if (!isNumber(success)) return null;
  return {noticed: lost - fault.t_ms, elected: led - lost, served: success - led};
}

/** What the option along the x axis does, between its least and its greatest value. */
function optionsMatter(model) {
  return variedGroups(model).flatMap((group) => {
    const lines = groupBy(group.runs, (run) => otherOptions(run, group.axis));
    return [...lines].flatMap(([others, runs]) => {
      const at = groupBy(runs, (run) => run.variedOptions[group.axis]);
      const values = [...at.keys()].sort((a, b) => (a < b ? -1 : 1));
      if (values.length < 2) return [];
      const [least, most] = [values[0], values[values.length - 1]];
      const p50 = [least, most].map((v) =>
        medianOf(at.get(v), (run) => percentileUs(run.summary.latency_us.p50)),
      );
      const rate = [least, most].map((v) => medianOf(at.get(v), (r) => r.summary.achieved_ops_per_s));
      const added = (p50[1] - p50[0]) / 1000;
      const share =
        group.axis.endsWith('_ms') && isNumber(added) && most > least
          ? `, ${significant(added / (most - least), 2)} of each ms added`
          : '';
      return [
        [
          strong(`${group.name}, ${others}`),
          `: with ${group.axis} ${least} → ${most} the median latency goes from `,
          strong(`${duration(p50[0])} to ${duration(p50[1])}`),
          `${share}, throughput from `,
          strong(`${perSecond(rate[0])} to ${perSecond(rate[1])}`),
          '.',
        ],
      ];
    });
  });
}

/** Whether what followed the faults is what follows them in the simulator. */
function asSimulated(all) {
  const compared = all.filter((run) => run.summary.as_simulated);
  const key = (run) => `${run.faultName}\u0001${run.summary.as_simulated.text}`;
  return families(compared, (run) => run, key).map(({name, items: runs}) => {
    const {same_order: same, text} = runs[0].summary.as_simulated;
    const told = text.replace(/^(yes|no)/, '');
    return [
      strong(`${name}, ${runs[0].faultName}`),
      ': same order of events as simulated: ',
      strong(same ? 'yes' : 'no'),
      `${told}${runs.length > 1 ? ` (${plural(runs.length, 'run')})` : ''}.`,
    ];
  });
}

/** Of the runs' events, those for which the clients were told by node: what each side placed. */
function splitSides(all) {
  return families(all, (event) => event.run, (event) => event.fault).map(({name, items: events}) => {
    const shares = events.map(sharePlaced);
    const {fault} = events[0];
    const percent = (side) => {
      return range(
        shares.map((share) => share[side]),
        (share) => `${Math.round(100 * share)} %`,
      );
    };
    const killed = fault.startsWith('kill');
    const hit = killed ? [] : [strong(percent('hit')), ' at the side that was cut off, '];
    return [
      strong(`${name}, ${fault}`),
      ': of the placements per second before it, ',
      ...hit,
      strong(percent('rest')),
      killed ? ' at the nodes that were left.' : ' at the others.',
    ];
  });
}

/**
 * Placements per second of both sides during a fault, as a share of those in the second before. Rows in which it begins or
 * ends are left out: what waited on the side that was cut off is placed at once when it is healed.
 */
function sharePlaced(event) {
  const rows = event.run.nodeRows;
  const from = event.injected_ms;
  const until = event.ended_ms ?? Math.max(...event.run.timeline.map((row) => row.t_ms));
  const whole = (t_ms, begin, end) => t_ms >= begin && t_ms + ROW_MS <= end;
  const rate = (inside, begin, end) => {
    const own = rows.filter((row) => {
      return event.hit.includes(Number(row.node)) === inside && whole(row.t_ms, begin, end);
    });
    const time = ROW_MS * event.run.timeline.filter((row) => whole(row.t_ms, begin, end)).length;
    return own.reduce((sum, row) => sum + row.placed, 0) / time;
  };
  const share = (inside) => rate(inside, from, until) / rate(inside, from - SECOND, from);
  return {hit: share(true), rest: share(false)};
}

/** What strategies did to data under each fault, beside how stale their reads were. */
function consequences(model) {
  const recorded = model.runs.filter((run) => run.summary.consistency.reads > 0);
  const key = (run) => [run.faultName, run.settingId].join('\u0001');
  return families(recorded, (run) => run, key).map(({name, items: runs}) => {
    const figures = runs.map((run) => run.summary.consistency);
    const sum = (name) => figures.reduce((total, c) => total + (c[name] ?? 0), 0);
    const stale = (100 * sum('stale_reads')) / sum('reads');
    const most = Math.max(...figures.map((c) => c.stale_ms_max ?? 0));
    const told = sum('stale_reads')
      ? `${significant(stale, 2)} % of ${count(sum('reads'))} local reads were stale, by ` +
        `${duration(1000 * most)} at most`
      : `none of ${count(sum('reads'))} local reads was stale`;
    const counted = ['lost', 'superseded', 'older_wins']
      .filter((name) => figures.some((c) => isNumber(c[name])))
      .map((name) => `${count(sum(name))} ${name.replace('_', ' ')}`);
    return [
      strong(`${name}, ${runs[0].disturbed ? runs[0].faultName : 'no fault'}`),
      ': ',
      strong(told),
      counted.length ? `; ${list(counted)}` : '',
      ` (${runs[0].setting.workload} workload).`,
    ];
  });
}

function consistency(model) {
  const verdicts = model.runs.map((run) => run.summary.consistency.verdict);
  const of = (verdict) => verdicts.filter((v) => v === verdict).length;
  const parts = [];
  if (of('pass')) parts.push(`${plural(of('pass'), 'run')} passed`);
  if (of('fail')) parts.push(`${plural(of('fail'), 'run')} FAILED`);
  if (of('not_promised'))
    parts.push(`${plural(of('not_promised'), 'run')} counted what is not promised`);
  if (of('not_checked')) parts.push(`${plural(of('not_checked'), 'run')} checked nothing`);
  const sum = (name) => model.runs.reduce((s, run) => s + (run.summary.consistency[name] ?? 0), 0);
  const anomalies = ['lost', 'superseded', 'older_wins', 'stale_reads', 'duplicates']
    .filter((name) => sum(name) > 0)
    .map((name) => `${count(sum(name))} ${name.replace('_', ' ')}`);
  const counted = anomalies.length ? ` Counted over all runs: ${list(anomalies)}.` : '';
  return [['Checkers: ', strong(list(parts)), `.${counted}`]];
}

/**
 * The findings as groups {title, sentences}; a sentence is a list of strings and {strong: string}.
 * Sentences compare runs of one setting only.
 */
export function buildFindings(model) {
  const groups = [];
  for (const setting of bySetting(model.steady)) {
    const sentences = [...throughput(setting), ...priceOfNodes(setting)];
    const title = setting.title ? `Without faults, ${setting.title}` : 'Without faults';
    if (sentences.length) groups.push({title, sentences});
  }
  const matter = optionsMatter(model);
  if (matter.length) groups.push({title: 'What options do', sentences: matter});
  const split = splitEvents(model);
  for (const setting of bySetting(model.disturbed)) {
    const of = (items) => items.filter((event) => event.run.settingId === setting.runs[0].settingId);
    const sentences = [
      ...recoveries(of(model.events)),
      ...recoveryParts(of(model.events)),
      ...splitSides(of(split)),
      ...asSimulated(setting.runs),
    ];
    const title = setting.title ? `With faults, ${setting.title}` : 'With faults';
    if (sentences.length) groups.push({title, sentences});
  }
  const done = consequences(model);
  if (done.length) groups.push({title: 'What happened to data', sentences: done});
  groups.push({title: 'Correctness', sentences: consistency(model)});
  return groups;
}
