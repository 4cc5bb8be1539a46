// Real clusters for the tests, as `parley canvas` starts them.

import assert from 'node:assert/strict';
import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as pause} from 'node:timers/promises';

// Far longer than anything takes, also where everything is slow.
export const PATIENCE_MS = 90_000;

const PROGRAM = process.env['PARLEY_PROGRAM'] ?? resolve('../../../build/release/parley');
const STARTS = 5; // tries to find ports that nobody takes in between
const MAX_STRATEGIES = 6; // for which ports are looked for

export interface Member {
  readonly node: number;
  readonly page: string; // "http://127.0.0.1:8080/"
  readonly pid: number;
}

export interface Status {
  readonly node: number;
  readonly role: string;
  readonly leader: number | null;
  readonly viewers: number;
}

export class Cluster {
  private constructor(
    private readonly process: ChildProcess,
    readonly members: readonly Member[],
  ) {}

  /** Starts a cluster; `options` are those of `parley canvas`. */
  static async start(...options: string[]): Promise<Cluster> {
    const nodes = Number(options[options.indexOf('--nodes') + 1]);
    const {child, told} = await startCanvas(nodes, options);
    return new Cluster(child, (told as {nodes: Member[]}).nodes);
  }

  /** Ends all processes of it. */
  stop(): Promise<void> {
    return stopCanvas(this.process);
  }

  member(node: number): Member {
    const found = this.members.find((member) => member.node === node);
    assert.ok(found, `node ${node} is a member`);
    return found;
  }

  async leader(): Promise<Member> {
    const {leader} = await this.status(this.members[0]!);
    assert.ok(leader !== null, 'there is a leader');
    return this.member(leader);
  }

  kill(member: Member): void {
    process.kill(member.pid, 'SIGKILL');
  }

  async status(member: Member): Promise<Status> {
    return (await (await fetch(`${member.page}status`)).json()) as Status;
  }
}

/** One cluster for each strategy. */
export class Clusters {
  private constructor(
    private readonly process: ChildProcess,
    readonly page: string, // that shows them side by side
    readonly clusters: readonly {readonly algorithm: string; readonly nodes: readonly Member[]}[],
  ) {}

  static async start(nodes: number, ...options: string[]): Promise<Clusters> {
    const all = ['--algorithm', 'all', '--nodes', String(nodes), ...options];
    const {child, told} = await startCanvas(MAX_STRATEGIES * nodes, all);
    const {page, clusters} = told as Clusters;
    return new Clusters(child, page, clusters);
  }

  stop(): Promise<void> {
    return stopCanvas(this.process);
  }
}

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** "#RRGGBB", white where nothing was painted. */
  at(x: number, y: number): string;
}

/** What GET /canvas says. */
export async function canvasOf(member: Member): Promise<Pixels> {
  const answer = await (await fetch(`${member.page}canvas`)).json();
  const {width, height, pixels} = answer as {width: number; height: number; pixels: Record<string, string>};
  return {width, height, at: (x, y) => pixels[`${x},${y}`] ?? '#FFFFFF'};
}

/** Paints without a page; retried until it is done, as any client does. */
export async function paint(member: Member, x: number, y: number, color: string): Promise<void> {
  await eventually(`${x}, ${y} is placed`, async () => {
    const reply = await fetch(`${member.page}pixel`, {
      method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({x, y, color})});
    await reply.arrayBuffer();
    return reply.ok;
  });
}

/** Waits until a condition holds, which may throw until then. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  let trouble: unknown = null;
  while (Date.now() < until) {
    try {
      if (await holds()) return;
    } catch (error) {
      trouble = error;
    }
    await pause(25);
  }
  throw new Error(`it did not happen that ${what}${trouble === null ? '' : `: ${trouble}`}`);
}

/** Starts `parley canvas --json`; returns what it says first. */
async function startCanvas(ports: number, options: string[]): Promise<{child: ChildProcess; told: unknown}> {
  let trouble = '';
  for (let start = 0; start < STARTS; ++start) {
    const port = await freePorts(ports);
    // Ends with this process, even if that is killed.
    const arguments_ = ['--pdeathsig', 'INT', PROGRAM, 'canvas', '--json', '--http-port', String(port), ...options];
    const child = spawn('setpriv', arguments_);
    child.stderr.on('data', (text) => (trouble += text));
    const lines = createInterface({input: child.stdout});
    const line = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => null)]);
    if (line !== null) return {child, told: JSON.parse(line[0])};
  }
  throw new Error(`parley canvas did not start: ${trouble}`);
}

async function stopCanvas(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(late);
}

/** The first of so many ports in a row that are free, below those that connections take by themselves. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({length: count}, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}
