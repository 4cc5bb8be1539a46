// Asks the serving node how it is doing, more often while something is wrong, and says when it does
// not answer any more although its connection stands.

import {NodeClient, type Status} from './node_client.js';
import type {NodeAddress, Nodes} from './nodes.js';
import {pause} from './time.js';

const CALM_MS = 3_000;
const TROUBLE_MS = 500;
const SILENT_AFTER = 2; // questions without an answer
const LEADERLESS_MS = 4_000; // after which another node may know more

export interface StatusEvents {
  status(node: NodeAddress, status: Status): void;
  /** The node does not answer: another one should take over. */
  silent(node: NodeAddress): void;
  /** The node knows no leader for a while, and `better` does. */
  better(better: NodeAddress): void;
}

export class StatusWatch {
  private hurry = new AbortController();
  private unanswered = 0;
  private leaderlessSince = 0;
  private hadLeader = false; // some strategies have none

  constructor(
    private readonly nodes: Nodes,
    private readonly events: StatusEvents,
  ) {}

  /** Whether a leader is needed and none is known. */
  get leaderless(): boolean {
    return this.hadLeader && this.leaderlessSince > 0;
  }

  /** Never returns. */
  async run(): Promise<never> {
    for (;;) {
      await this.ask(this.nodes.current);
      const trouble = this.unanswered > 0 || this.leaderless;
      this.hurry = new AbortController();
      await pause(trouble ? TROUBLE_MS : CALM_MS, this.hurry.signal);
      if (document.hidden) await shown();
    }
  }

  /** Asks now rather than later. */
  soon(): void {
    this.hurry.abort();
  }

  private async ask(node: NodeAddress): Promise<void> {
    try {
      const status = await new NodeClient(node.base).status();
      this.unanswered = 0;
      this.nodes.learn(node, status);
      if (node !== this.nodes.current) return;
      this.hadLeader ||= status.leader !== null;
      this.leaderlessSince = status.leader === null ? this.leaderlessSince || performance.now() : 0;
      this.events.status(node, status);
    } catch {
      if (++this.unanswered < SILENT_AFTER || node !== this.nodes.current) return;
      this.unanswered = 0;
      this.events.silent(node);
    }
    if (this.leaderless && performance.now() - this.leaderlessSince > LEADERLESS_MS) await this.lookAround(node);
  }

  /** A node that is cut off from the others knows no leader; they may. */
  private async lookAround(from: NodeAddress): Promise<void> {
    this.leaderlessSince = performance.now();
    for (const other of this.nodes.all()) {
      if (other === from) continue;
      const status = await new NodeClient(other.base).status().catch(() => null);
      if (status !== null && status.leader !== null) return this.events.better(other);
    }
  }
}

function shown(): Promise<void> {
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', () => resolve(), {once: true});
  });
}
