// The measurement conditions in words, from the manifests of the runs that a figure shows.

import {asText} from './read.mjs';
import {hostName} from './model.mjs';
import {isNumber, list, plural} from './format.mjs';

const STATED = [
  [(m) => m.durability, (v) => `durability ${v}`],
  [(m) => (m.read_share ? m.read_mode : null), (v) => `${v} reads`],
  [(m) => (m.options?.ack > 1 ? m.options.ack : null), (v) => `ok when ${v} nodes hold a write`],
  [(m) => (m.options?.read > 1 ? m.options.read : null), (v) => `reads ask ${v} nodes`],
  [(m) => m.routing, (v) => `routing ${v}`],
  [(m) => m.loop, (v) => `${v} loop`],
  [(m) => m.workload, (v) => `${v} workload`],
  [(m) => m.batch, (v) => `${v} a message`],
  [(m) => m.transport, (v) => v],
  [(m) => m.links, (v) => `${v} links`],
];

function valuesOf(runs, pick) {
  const known = [...new Set(runs.map((run) => asText(pick(run.manifest))).filter((v) => v !== null))];
  return known.every((v) => isNumber(Number(v))) ? known.sort((a, b) => a - b) : known;
}

/** One line: durability, routing, workload, duration, clients, host; differing values are listed. */
export function conditions(runs) {
  const parts = STATED.flatMap(([pick, say]) => {
    const values = valuesOf(runs, pick);
    return values.length ? [say(values.length > 3 ? `${values.length} kinds` : list(values))] : [];
  });
  const seconds = valuesOf(runs, (m) => m.duration_s);
  const warmup = valuesOf(runs, (m) => m.warmup_s);
  if (seconds.length) {
    const warm = warmup.length ? ` after ${list(warmup)} s of warm-up` : '';
    parts.push(`${list(seconds)} s measured${warm}`);
  }
  const clients = valuesOf(runs, (m) => m.clients);
  if (clients.length) parts.push(`${list(clients)} clients`);
  const hosts = valuesOf(runs, (m) => hostName(m.host));
  if (hosts.length) parts.push(hosts.length > 1 ? `${hosts.length} hosts` : hosts[0]);
  const builds = valuesOf(runs, (m) => m.software?.build_type);
  if (builds.length) parts.push(`${list(builds)} build`);
  return `${plural(runs.length, 'run')}: ${parts.join(' · ')}`;
}
