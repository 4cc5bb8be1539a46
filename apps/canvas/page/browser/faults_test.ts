// The buttons that break the cluster, where its user allows them.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import type {Page} from 'playwright-core';
import {live, openPage} from './browser.js';
import {Cluster, eventually, type Member} from './cluster.js';

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start('--nodes', '3', '--size', '64x64', '--allow-faults');
});
after(() => cluster.stop());

async function press(page: Page, button: string): Promise<void> {
  if (await page.locator('#nodes').isHidden()) await page.locator('#node').click();
  await page.locator(button).click();
}

async function leaderIs(members: readonly Member[], fits: (leader: number | null) => boolean): Promise<void> {
  await eventually('all name such a leader', async () => {
    const statuses = await Promise.all(members.map((member) => cluster.status(member)));
    const leaders = new Set(statuses.map(({leader}) => leader));
    return leaders.size === 1 && fits([...leaders][0]!);
  });
}

test('isolating, healing and killing do what they say', async () => {
  const old = await cluster.leader();
  const others = cluster.members.filter((member) => member !== old);
  const page = await openPage(old.page);
  await press(page, '#fault-isolate');
  await page.locator('.toast', {hasText: 'is cut off from the others'}).waitFor();
  await leaderIs(others, (leader) => leader !== null && leader !== old.node);

  await press(page, '#fault-heal');
  await page.locator('.toast', {hasText: 'work again'}).waitFor();
  await leaderIs(cluster.members, (leader) => leader !== null);

  const served = Number(/node (\d+)/.exec((await page.locator('#node-text').textContent()) ?? '')![1]);
  await press(page, '#fault-kill');
  await page.locator('.toast', {hasText: `Node ${served} is killed`}).waitFor();
  await eventually('another node serves the page', async () =>
    !((await page.locator('#node-text').textContent()) ?? '').startsWith(`node ${served} `));
  await live(page);
});

test('what cannot be done is said', async () => {
  const answer = await fetch(`${(await alive()).page}faults`, {method: 'POST', body: '{"fault":"kill","node":9}'});
  assert.equal(answer.status, 409);
  assert.match(await answer.text(), /there is no node 9/);
});

test('without --allow-faults there are none', async () => {
  const calm = await Cluster.start('--nodes', '1', '--size', '64x64');
  try {
    const page = await openPage(calm.members[0]!.page);
    await live(page);
    await page.locator('#node').click();
    await page.locator('#node-list li').first().waitFor();
    assert.ok(await page.locator('#faults').isHidden());
    const answer = await fetch(`${calm.members[0]!.page}faults`, {method: 'POST', body: '{"fault":"heal"}'});
    assert.equal(answer.status, 403);
  } finally {
    await calm.stop();
  }
});

async function alive(): Promise<Member> {
  for (const member of cluster.members) {
    if (await cluster.status(member).then(() => true, () => false)) return member;
  }
  throw new Error('no node is alive');
}
