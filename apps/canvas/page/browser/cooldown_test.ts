// With a cooldown the cluster, not the page, makes users wait.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Page} from 'playwright-core';
import {hover, live, openPage, settled} from './browser.js';
import {canvasOf, Cluster, eventually, type Member} from './cluster.js';

async function withCooldown(seconds: number, use: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await Cluster.start('--nodes', '3', '--size', '64x64', '--cooldown', String(seconds));
  try {
    await use(cluster);
  } finally {
    await cluster.stop();
  }
}

async function click(page: Page, x: number, y: number): Promise<void> {
  const at = await hover(page, x, y);
  await page.mouse.click(at.x, at.y);
}

async function userAt(member: Member, x: number, y: number): Promise<number> {
  const pixel = await (await fetch(`${member.page}pixel?x=${x}&y=${y}`)).json();
  return (pixel as {user: number}).user;
}

test('a user who does not wait is refused, at whichever node', () => withCooldown(600, async (cluster) => {
  const [one, two] = cluster.members as [Member, Member];
  const page = await openPage(`${one.page}#32,32,12`);
  await click(page, 30, 30);
  await page.locator('#wait', {hasText: /^next pixel in \d+ s$/}).waitFor();
  await eventually('it is placed', async () => (await canvasOf(two)).at(30, 30) === '#FF4500');
  const user = await userAt(one, 30, 30);

  // The page says so itself, without asking.
  await click(page, 31, 30);
  await page.locator('.toast.bad', {hasText: /^The next pixel is possible in \d+ s\.$/}).waitFor();

  // One that has forgotten is told by the node.
  await page.reload();
  await live(page);
  await click(page, 31, 30);
  await page.locator('.toast.bad', {hasText: /^31, 30 was not placed: the next pixel is possible in \d+ s$/}).waitFor();
  await page.locator('#wait').waitFor();
  await settled(page);

  // Whoever goes to another node is known there as well.
  const reply = await fetch(`${two.page}pixel`, {
    method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({x: 31, y: 30, color: '#FF4500', user})});
  assert.equal(reply.status, 429);
  assert.equal(((await reply.json()) as {reason: string}).reason, 'cooldown');
  assert.ok(Number(reply.headers.get('Retry-After')) > 0);
  for (const member of cluster.members) assert.equal((await canvasOf(member)).at(31, 30), '#FFFFFF');

  // Another user need not wait.
  const other = await openPage(`${two.page}#32,32,12`);
  await click(other, 31, 30);
  await settled(other);
  await eventually('it is placed', async () => (await canvasOf(one)).at(31, 30) === '#FF4500');
  assert.notEqual(await userAt(two, 31, 30), user);
}));

test('who has waited may place again', () => withCooldown(2, async (cluster) => {
  const node = cluster.members[2]!;
  const page = await openPage(`${node.page}#32,32,12`);
  for (const x of [30, 31, 32]) {
    await click(page, x, 30);
    await page.locator('#wait').waitFor();
    await page.locator('#wait').waitFor({state: 'hidden'});
    await eventually('it is placed', async () => (await canvasOf(node)).at(x, 30) === '#FF4500');
  }
  assert.equal(await page.locator('.toast').count(), 0);
}));
