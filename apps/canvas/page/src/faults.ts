// What breaks the cluster on purpose, for those who started it with --allow-faults.

import {by, capital} from './dom.js';
import {AnswerError, NodeClient, type Fault} from './node_client.js';
import {nodeName, type NodeAddress, type Nodes} from './nodes.js';

const SLOWER_MS = 200;

/** What a button asks for; `id` is that of the node that serves the page. */
type Ask = (id: number) => Fault;

const ASKS: Readonly<Record<string, Ask>> = {
  'fault-isolate': (node) => ({fault: 'cut', node}),
  'fault-split': (node) => ({fault: 'cut', node, side: 'minority'}),
  'fault-slow-link': (node) => ({fault: 'slow-link', node, delay_ms: SLOWER_MS}),
  'fault-slow-disk': (node) => ({fault: 'slow-disk', node, delay_ms: SLOWER_MS}),
  'fault-full-disk': (node) => ({fault: 'full-disk', node}),
  'fault-roll': () => ({fault: 'rolling-restart'}),
  'fault-pause': (node) => ({fault: 'pause', node}),
  'fault-kill': (node) => ({fault: 'kill', node}),
  'fault-heal': () => ({fault: 'heal'}),
};

export class Faults {
  constructor(
    private readonly nodes: Nodes,
    private readonly say: (text: string, good: boolean) => void,
  ) {
    for (const [button, ask] of Object.entries(ASKS)) {
      by(button).addEventListener('click', () => void this.ask(this.nodes.current, ask));
    }
  }

  show(allowed: boolean): void {
    by('faults').hidden = !allowed;
  }

  private async ask(node: NodeAddress, ask: Ask): Promise<void> {
    if (node.id === null) return;
    const fault = ask(node.id);
    try {
      await new NodeClient(node.base).inject(fault);
      this.say(done(fault, node), true);
    } catch (error) {
      const refused = error instanceof AnswerError && error.told;
      // Who is killed or stopped cannot say that it is.
      if (!refused && (fault.fault === 'kill' || fault.fault === 'pause')) return this.say(done(fault, node), true);
      this.say(refused ? `${capital(error.message)}.` : `${capital(nodeName(node))} did not answer.`, false);
    }
  }
}

function done({fault, side}: Fault, node: NodeAddress): string {
  const name = capital(nodeName(node));
  switch (fault) {
    case 'cut': return side === 'minority' ? `The cluster is split; ${nodeName(node)} is in the smaller part.`
      : `${name} is cut off from the others.`;
    case 'slow-link': return `The links of ${nodeName(node)} are slower by ${SLOWER_MS} ms.`;
    case 'slow-disk': return `Each write of ${nodeName(node)} takes ${SLOWER_MS} ms longer.`;
    case 'full-disk': return `The disk of ${nodeName(node)} is full: its next write ends it.`;
    case 'rolling-restart': return 'Each node in turn stops and starts again.';
    case 'pause': return `${name} stands still until you heal the cluster.`;
    case 'kill': return `${name} is killed.`;
    case 'heal': return 'All links and paused nodes work again.';
  }
}
