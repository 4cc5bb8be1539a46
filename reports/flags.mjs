// What a reader must know before comparing: unlike runs, failed checks, missing runs, a limited
// generator. Flags are loud on purpose; nothing here is ever left out of the page.

import {asText} from './read.mjs';
import {differingKeys, groupBy, isOfStrategy} from './model.mjs';
import {list, percentile, perSecond, plural, significant} from './format.mjs';
import {WIDE_SPREAD, driftOf, spreadOf} from './noise.mjs';

const WHY = {
  durability: 'what is on disk when a client hears ok differs',
  read_mode: 'local reads may be stale and cost nothing; linearizable ones ask a quorum',
  ack: 'more nodes hold what is acknowledged, and the client waits for them',
  read: 'a read that asks several nodes misses less and waits for them',
  routing: 'a forwarded operation takes one hop more',
  batch: 'several commands share one message',
  host: 'they ran on different machines',
  build_type: 'an unoptimised build is slower',
};

/** A few of many names, so that a flag stays readable: "a, b, c and 4 more". */
function some(names, most = 4) {
  if (names.length <= most) return list(names);
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

function unlike(model) {
  return differingKeys(model.runs).map(([key, name]) => {
    const groups = groupBy(model.runs, (run) => run.setting[key]);
    const parts = [...groups].map(([value, runs]) => {
      return `${value} (${plural(runs.length, 'run')}: ${some([...new Set(runs.map(shortName))], 3)})`;
    });
    const why = WHY[key] ? ` – ${WHY[key]}` : '';
    return {
      level: 'warn',
      title: `Unlike runs: ${name} differs`,
      text: `${list(parts)}${why}. Figures draw them in panels of their own.`,
    };
  });
}

const shortName = (run) => (run.disturbed ? `${run.series}, ${run.faultName}` : run.series);

function differing(model, name, pick, text) {
  const values = [...new Set(model.runs.map((run) => asText(pick(run.manifest)) ?? 'not stated'))];
  if (values.length < 2) return [];
  return [{level: 'warn', title: `Unlike runs: ${name} differs`, text: `${list(values)}. ${text}`}];
}

function verdicts(model) {
  const flags = [];
  const failed = model.runs.filter((run) => run.summary.consistency.verdict === 'fail');
  if (failed.length) {
    flags.push({
      level: 'stop',
      title: `Consistency check failed in ${plural(failed.length, 'run')}`,
      text:
        `${some(
          failed.map((run) => run.id),
          8,
        )}. A figure of a run that broke its promise says ` +
        'what breaking it cost, not what keeping it costs.',
    });
  }
  const unchecked = model.runs.filter((run) => run.summary.consistency.verdict === 'not_checked');
  if (unchecked.length) {
    flags.push({
      level: 'info',
      title: `Consistency not checked in ${plural(unchecked.length, 'run')}`,
      text: 'They recorded no history; nothing is claimed about what they lost or kept.',
    });
  }
  return flags;
}

function missing(model) {
  if (model.missing.length === 0) return [];
  const names = model.missing.map((run) => `${run.sweep}/${run.name} (${run.why})`);
  return [
    {
      level: 'stop',
      title: `${plural(model.missing.length, 'run')} missing`,
      text: `${some(names, 8)}. Every figure here is without them.`,
    },
  ];
}

function generator(model) {
  const limited = model.runs.filter((run) => run.summary.limited);
  if (limited.length === 0) return [];
  return [
    {
      level: 'warn',
      title: `Load generator limited in ${plural(limited.length, 'run')}`,
      text:
        `${some(
          limited.map((run) => {
            const by = run.summary.limited_by;
            return by === null ? run.id : `${run.id} (${by})`;
          }),
          8,
        )}. There the figures are in part its own: ` +
        'of the strategy they are a bound, throughput from below and latency from above.',
    },
  ];
}

/** What two runs must have in common for the saturation of one to be that of the other. */
function conditionsOfLoad(run) {
  const setting = Object.entries(run.setting).filter(([key]) => !['loop', 'clients'].includes(key));
  return [run.series, ...setting.map(([, value]) => value)].join('\u0001');
}

/** The saturation that an undisturbed run shows: searched for, of a closed loop, or not reached. */
function saturationShown({disturbed, manifest, summary}) {
  if (disturbed) return null;
  if (summary.search) return summary.search.saturation_ops_per_s;
  const reached = summary.achieved_ops_per_s >= 0.98 * (summary.offered_ops_per_s ?? 0);
  return manifest.loop === 'closed' || !reached ? summary.achieved_ops_per_s : null;
}

/** Faults above half of the saturation that is known show an overloaded cluster. */
function faultLoad(model) {
  const known = new Map();
  for (const run of model.runs) {
    const shown = saturationShown(run);
    const key = conditionsOfLoad(run);
    if (shown > 0) known.set(key, Math.max(shown, known.get(key) ?? 0));
  }
  const loaded = model.runs
    .filter((run) => run.disturbed && known.has(conditionsOfLoad(run)))
    .map((run) => {
      const saturation = known.get(conditionsOfLoad(run));
      return {run, share: run.manifest.loop === 'closed' ? 1 : run.load.value / saturation};
    })
    .filter(({share}) => share > 0.5)
    .map(({run, share}) => `${run.id} (${significant(share * 100, 2)} %)`);
  if (loaded.length === 0) return [];
  return [
    {
      level: 'warn',
      title: `Faults above half of saturation in ${plural(loaded.length, 'run')}`,
      text:
        `${some(loaded, 8)} of the saturation that other runs here show. The survivors cannot make ` +
        'up for what was missed, and heartbeats wait behind work: recovery and elections are those ' +
        'of an overloaded cluster.',
    },
  ];
}

/** Warm-ups that did not end in a steady state, and those that took longer until they did. */
function warmups(model) {
  const told = model.runs.filter((run) => run.summary.warmup);
  const unsteady = told.filter((run) => run.summary.warmup.steady === false);
  const longer = told.filter(({summary: {warmup}}) => warmup.steady && warmup.took_s > warmup.asked_s);
  const flags = [];
  if (unsteady.length) {
    const why = unsteady.map(({id, summary}) => `${id} (${summary.warmup.because ?? 'unsteady'})`);
    flags.push({
      level: 'warn',
      title: `Not steady after the warm-up in ${plural(unsteady.length, 'run')}`,
      text:
        `${some(why, 8)}. Their figures depend on when the measurement began and on how long it ` +
        'lasted: an overloaded open loop, for one, has no latency of its own.',
    });
  }
  if (longer.length) {
    const most = Math.max(...longer.map((run) => run.summary.warmup.took_s));
    flags.push({
      level: 'info',
      title: `Warm-up extended in ${plural(longer.length, 'run')}`,
      text: `Until it was steady; to ${significant(most)} s at most. The measured window kept its length.`,
    });
  }
  return flags;
}

/** Baseline runs of one host that are far apart, or move one way. */
function machineNoise(model) {
  const hosts = groupBy(model.baseline, (run) => run.setting.host).values();
  return [...hosts].flatMap((runs) => {
    if (runs.length < 2) return [];
    const flags = [];
    const spread = spreadOf(runs);
    const drift = driftOf(runs);
    const percent = (share) => `${significant(Math.abs(share) * 100, 2)} %`;
    const warn = (title, text) => flags.push({level: 'warn', title, text});
    if (spread.share > WIDE_SPREAD) {
      warn(
        `The machine varied by ${percent(spread.share)}`,
        `${plural(runs.length, 'baseline run')}, which do one and the same, gave from ` +
          `${perSecond(spread.low)} to ${perSecond(spread.high)}. Smaller differences may be the machine's.`,
      );
    }
    if (drift !== null) {
      warn(
        `The machine became ${drift > 0 ? 'faster' : 'slower'} by ${percent(drift)}`,
        'from the first baseline run to the last: what was measured early and what was measured late ' +
          'are not alike.',
      );
    }
    return flags;
  });
}

function builds(model) {
  const flags = [];
  const types = [...new Set(model.runs.map((run) => run.setting.build_type))];
  const slow = types.filter(
    (type) => !['Release', 'RelWithDebInfo', 'MinSizeRel', 'not stated'].includes(type),
  );
  if (slow.length) {
    flags.push({
      level: 'warn',
      title: `Not an optimised build: ${list(slow)}`,
      text: 'Speed and cost say little about the strategy.',
    });
  }
  const dirty = model.runs.filter((run) => /dirty/.test(run.manifest.software?.commit ?? ''));
  if (dirty.length) {
    flags.push({
      level: 'info',
      title: 'Built from changed sources',
      text:
        `${plural(dirty.length, 'run')} had changes that are in no commit, so the commit alone ` +
        'does not repeat them.',
    });
  }
  return flags;
}

function promises(model) {
  const groups = groupBy(model.runs, (run) => asText(run.manifest.guarantee) ?? 'not stated');
  if (groups.size < 2) return [];
  const parts = [...groups].map(([promise, runs]) => {
    return `${list([...new Set(runs.map((run) => run.algorithm))])}: ${promise}`;
  });
  return [
    {
      level: 'info',
      title: 'The strategies promise different things',
      text: `${parts.join('. ')}. A cheaper one may be cheaper because it promises less.`,
    },
  ];
}

function repetitions(model) {
  const key = (run) => [run.settingId, run.series, run.load.label, run.faultName].join('\u0001');
  const sizes = [...groupBy(model.runs, key).values()].map((runs) => runs.length);
  const few = sizes.filter((size) => size < 3).length;
  if (few === 0) return [];
  return [
    {
      level: 'info',
      title: 'Few repetitions',
      text:
        `${few} of ${sizes.length} points have fewer than 3 repetitions: treat small differences ` +
        'as noise.',
    },
  ];
}

function tails(model) {
  const beyond = model.runs.filter((run) => run.summary.latency_us.p99?.above);
  if (beyond.length === 0) return [];
  const worst = beyond[0].summary.latency_us.p99;
  return [
    {
      level: 'warn',
      title: `p99 lies above the timeout in ${plural(beyond.length, 'run')}`,
      text:
        `${some(
          beyond.map((run) => run.id),
          6,
        )}: more than 1 % of the operations had no answer ` + `(${percentile(worst)}).`,
    },
  ];
}

function lateArrivals(model) {
  const late = model.runs.filter(
    (run) => (run.summary.late_share ?? 0) > 0.01 && !run.summary.limited,
  );
  if (late.length === 0) return [];
  const worst = Math.max(...late.map((run) => run.summary.late_share));
  return [
    {
      level: 'info',
      title: `Sends were late in ${plural(late.length, 'run')}`,
      text:
        `Up to ${significant(worst * 100, 2)} % of the operations left later than intended; the ` +
        'latency counts from the intended time.',
    },
  ];
}

function notes(model) {
  const said = model.runs.flatMap((run) => {
    const own = run.manifest.notes;
    return (Array.isArray(own) ? own : own ? [own] : []).map((note) => [asText(note), run.id]);
  });
  return [...groupBy(said, ([note]) => note)].map(([note, runs]) => ({
    level: 'info',
    title: `Noted by ${plural(runs.length, 'run')}`,
    text: `${note} (${some(runs.map(([, id]) => id))})`,
  }));
}

function absentFiles(model) {
  const names = model.runs
    .filter(isOfStrategy) // the bare transport has a summary only
    .flatMap((run) => run.absent.map((file) => [file, run.id]));
  return [...groupBy(names, ([file]) => file)].map(([file, runs]) => ({
    level: 'info',
    title: `${file} is absent in ${plural(runs.length, 'run')}`,
    text: `${some(runs.map(([, id]) => id))}: left out of the figures that need it.`,
  }));
}

function closedLoops(model) {
  const closed = model.runs.filter((run) => run.manifest.loop === 'closed');
  if (closed.length === 0) return [];
  return [
    {
      level: 'info',
      title: `Closed loop in ${plural(closed.length, 'run')}`,
      text:
        'Each client waits for an answer before it goes on, so a slow system is asked less: the ' +
        'latency there leaves out what would have queued.',
    },
  ];
}

const ORDER = {stop: 0, warn: 1, info: 2};

/** All flags, the gravest first: {level: "stop"|"warn"|"info", title, text}. */
export function buildFlags(model) {
  const flags = [
    ...verdicts(model),
    ...missing(model),
    ...generator(model),
    ...faultLoad(model),
    ...unlike(model),
    ...differing(model, 'commit', (m) => m.software?.commit, 'Differences may come from the code.'),
    ...differing(model, 'duration', (m) => m.duration_s, 'Longer runs see rarer events.'),
    ...differing(model, 'disk sync latency class', syncClass, 'The disks differ.'),
    ...warmups(model),
    ...machineNoise(model),
    ...builds(model),
    ...tails(model),
    ...promises(model),
    ...repetitions(model),
    ...lateArrivals(model),
    ...closedLoops(model),
    ...absentFiles(model),
    ...notes(model),
  ];
  return flags.sort((a, b) => ORDER[a.level] - ORDER[b.level]);
}

/** The disk's sync latency to a power of four, only where durability makes it matter. */
function syncClass(manifest) {
  const sync = manifest.host?.disk_sync_us_p50;
  if (manifest.durability !== 'group_commit' || typeof sync !== 'number' || sync <= 0) return 'any';
  return `about ${significant(4 ** Math.round(Math.log(sync) / Math.log(4)), 2)} µs`;
}
