// Which clusters are shown, and which of their nodes are on which side of a cut.

import type {NodeAddress} from './nodes.js';

const MAX_CLUSTERS = 16;

/** The nodes on one side of the cut, and the one of them that is looked at. */
export interface Side {
  readonly nodes: readonly NodeAddress[];
  readonly shown: NodeAddress;
}

/** The ports of #8080,8083,8086, at which the first nodes of the clusters serve. */
export function portsOf(hash: string): number[] {
  const ports = hash.slice(1).split(',').map(Number);
  const good = ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536);
  return good ? ports.slice(0, MAX_CLUSTERS) : [];
}

/** The fewest nodes with the lowest numbers, against a majority; seen from its ends. */
export function sidesOf(nodes: readonly NodeAddress[]): readonly [Side, Side] {
  const few = Math.floor((nodes.length - 1) / 2);
  const [first, second] = [nodes.slice(0, few), nodes.slice(few)];
  return [{nodes: first, shown: first[0]!}, {nodes: second, shown: second.at(-1)!}];
}
