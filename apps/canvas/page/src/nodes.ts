// The nodes of the cluster as far as this page knows them, and which of them serves it.

import type {Status} from './node_client.js';

export interface NodeAddress {
  id: number | null; // null until it has said so
  readonly base: string; // "http://127.0.0.1:8080/"
}

const MAX_NODES = 64; // of a cluster

export class Nodes {
  private readonly known: NodeAddress[];
  private at = 0;

  /** `home` is where the page came from. */
  constructor(home: string) {
    this.known = [{id: null, base: home}];
  }

  get current(): NodeAddress {
    return this.known[this.at]!;
  }

  get count(): number {
    return this.known.length;
  }

  /** All of them by their number. */
  all(): readonly NodeAddress[] {
    return [...this.known].sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
  }

  /** Learns from what a node says of itself and its peers. */
  learn(from: NodeAddress, status: Status): void {
    from.id = status.node;
    for (const {id, page} of status.peers) {
      const base = pageBase(page);
      // An id keeps the address that it was first known by: the page may use that.
      const old = this.known.some((node) => node.id === id || node.base === base);
      if (base !== null && !old && this.known.length < MAX_NODES) this.known.push({id, base});
    }
  }

  /** Goes on to the next one, after the last to the first. */
  advance(): NodeAddress {
    this.at = (this.at + 1) % this.known.length;
    return this.current;
  }

  select(node: NodeAddress): void {
    const at = this.known.indexOf(node);
    if (at >= 0) this.at = at;
  }
}

/** "node 2", or its address before it has said which one it is. */
export function nodeName(node: NodeAddress): string {
  return node.id === null ? new URL(node.base).host : `node ${node.id}`;
}

function pageBase(page: string | null): string | null {
  if (page === null || !URL.canParse(page)) return null;
  const url = new URL(page);
  return url.protocol === 'http:' || url.protocol === 'https:' ? new URL('/', url).href : null;
}
