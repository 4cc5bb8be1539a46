// Which node serves this page and how it is doing; and a list of all nodes, from which to choose
// another one.

import {by, make, setText} from './dom.js';
import {NodeClient, type Status} from './node_client.js';
import {nodeName, type NodeAddress, type Nodes} from './nodes.js';
import {pause} from './time.js';

const REFRESH_MS = 1_500;

export type Health = 'good' | 'waiting' | 'bad';

export class NodeCard {
  private readonly button = by<HTMLButtonElement>('node');
  private readonly panel = by('nodes');
  private role = '';

  constructor(
    private readonly nodes: Nodes,
    private readonly choose: (node: NodeAddress) => void,
  ) {
    this.button.addEventListener('click', () => this.toggle());
    by('nodes-close').addEventListener('click', () => this.close());
    this.showNode(nodes.current, 'waiting');
  }

  get isOpen(): boolean {
    return !this.panel.hidden;
  }

  close(): void {
    if (!this.isOpen) return;
    this.panel.hidden = true;
    this.button.setAttribute('aria-expanded', 'false');
    this.button.focus();
  }

  showNode(node: NodeAddress, health: Health): void {
    this.button.dataset['state'] = health;
    setText(by('node-text'), `${nodeName(node)}${this.role === '' || health === 'bad' ? '' : ` · ${this.role}`}`);
    document.title = `Parley · ${nodeName(node)}`;
  }

  showStatus(node: NodeAddress, status: Status, health: Health): void {
    this.role = roleOf(status);
    this.showNode(node, health);
    const {leader} = status;
    setText(by('fact-algorithm'), status.algorithm);
    const nobody = status.role === 'peer' ? 'not needed' : 'none';
    setText(by('fact-leader'), leader === null ? nobody : leader === status.node ? 'this node' : `node ${leader}`);
    setText(by('fact-epoch'), status.epoch.toLocaleString('en'));
  }

  showViewers(viewers: number): void {
    setText(by('fact-viewers'), `${viewers.toLocaleString('en')} here`);
  }

  private toggle(): void {
    if (this.isOpen) return this.close();
    this.panel.hidden = false;
    this.button.setAttribute('aria-expanded', 'true');
    void this.refreshWhileOpen();
  }

  private async refreshWhileOpen(): Promise<void> {
    this.list(new Map());
    while (this.isOpen) {
      if (!document.hidden) await this.refresh();
      await pause(REFRESH_MS);
    }
  }

  private async refresh(): Promise<void> {
    const answers = new Map<NodeAddress, Status | null>();
    const ask = async (node: NodeAddress): Promise<void> => {
      answers.set(node, await new NodeClient(node.base).status().catch(() => null));
    };
    await Promise.all(this.nodes.all().map(ask));
    for (const [node, status] of answers) if (status !== null) this.nodes.learn(node, status);
    this.list(answers);
  }

  private list(answers: ReadonlyMap<NodeAddress, Status | null>): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset['base'];
    const rows = this.nodes.all().map((node) => this.row(node, answers.get(node)));
    by('node-list').replaceChildren(...rows);
    // A list that is made anew must not take the focus away.
    if (focused === undefined) return;
    this.panel.querySelector<HTMLElement>(`[data-base="${CSS.escape(focused)}"]`)?.focus();
  }

  private row(node: NodeAddress, status: Status | null | undefined): HTMLElement {
    const row = make('li', '', make('span', 'dot'), make('b', '', nodeName(node)));
    row.dataset['state'] = status === undefined ? 'waiting' : status === null ? 'bad' : 'good';
    const facts = status === undefined ? 'asking' : status === null ? 'no answer' : describe(status);
    row.append(make('span', 'facts', facts));
    if (node === this.nodes.current) {
      row.append(make('span', 'here', 'serves you'));
    } else {
      const use = make('button', 'use', 'Use');
      use.type = 'button';
      use.dataset['base'] = node.base;
      use.setAttribute('aria-label', `Use ${nodeName(node)}`);
      use.addEventListener('click', () => this.choose(node));
      row.append(use);
    }
    return row;
  }
}

/** A node that is blocked says so beside its role. */
function roleOf({role, blocked, inDoubt}: Status): string {
  return blocked ? `${role}, blocked: ${inDoubt.toLocaleString('en')} in doubt` : role;
}

function describe(status: Status): string {
  const {epoch, viewers, applied} = status;
  const online = `${viewers.toLocaleString('en')} online`;
  return `${roleOf(status)} · epoch ${epoch} · ${online} · ${applied.toLocaleString('en')} applied`;
}
