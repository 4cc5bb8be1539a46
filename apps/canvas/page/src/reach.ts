// The node that placements go to: the one whose updates arrive. Those who ask while there is none wait.

import {NodeClient} from './node_client.js';
import type {NodeAddress} from './nodes.js';

export interface Reachable {
  readonly client: NodeClient;
  readonly left: AbortSignal; // aborted when another node takes over
}

export class Reach {
  private node: NodeAddress | null = null;
  private leave = new AbortController();
  private now: Reachable | null = null;
  private latest: Reachable | null = null;
  private waiting: ((reachable: Reachable) => void)[] = []; // no more than placements may be open

  live(node: NodeAddress): void {
    if (this.latest === null || this.node !== node) {
      this.leave.abort();
      this.leave = new AbortController();
      this.node = node;
      this.latest = {client: new NodeClient(node.base), left: this.leave.signal};
    }
    this.now = this.latest;
    for (const go of this.waiting.splice(0)) go(this.now);
  }

  // Requests on their way may still be answered: a dropped connection says nothing of them.
  lost(): void {
    this.now = null;
  }

  get isLive(): boolean {
    return this.now !== null;
  }

  inReach(): Promise<Reachable> {
    if (this.now !== null) return Promise.resolve(this.now);
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
