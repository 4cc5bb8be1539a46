// Two people at two nodes see each other's pixels, and what becomes of their own.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {differences, hover, openPage, savedPicture, settled} from './browser.js';
import {canvasOf, Cluster, eventually} from './cluster.js';

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start('--nodes', '3', '--size', '64x64');
});
after(() => cluster.stop());

test('two pages at two nodes see each other paint', async () => {
  const [one, two] = cluster.members;
  const left = await openPage(`${one!.page}#32,32,12`);
  const right = await openPage(`${two!.page}#32,32,12`);

  const here = await hover(left, 30, 31);
  await left.mouse.click(here.x, here.y);
  await right.locator('[aria-label="Dark blue"]').click();
  const there = await hover(right, 35, 31);
  await right.mouse.click(there.x, there.y);

  for (const page of [left, right]) {
    await settled(page);
    await eventually('the page shows both pixels', async () => {
      const picture = await savedPicture(page);
      return picture.at(30, 31) === '#FF4500' && picture.at(35, 31) === '#2450A4';
    });
  }
  assert.deepEqual(differences(await savedPicture(left), await canvasOf(two!)), []);

  // Who placed it, as each of them sees it.
  await hover(left, 30, 31);
  await left.locator('#place-who', {hasText: /^Red · by you, /}).waitFor();
  await hover(left, 35, 31);
  await left.locator('#place-who', {hasText: /^Dark blue · by user \d+, /}).waitFor();
});

test('the page tells of its node, the leader and who is online', async () => {
  const node = cluster.members[2]!;
  const page = await openPage(node.page);
  const other = await openPage(node.page);
  const leader = await cluster.leader();
  await page.locator('#node-text', {hasText: `node ${node.node} · `}).waitFor();
  const name = leader.node === node.node ? 'this node' : `node ${leader.node}`;
  await page.locator('#fact-leader', {hasText: name}).waitFor();
  await page.locator('#fact-algorithm', {hasText: 'raft'}).waitFor();
  assert.match((await page.locator('#fact-epoch').textContent()) ?? '', /^\d+$/);
  await page.locator('#fact-viewers', {hasText: '2 here'}).waitFor();
  await other.context().close();
  await page.locator('#fact-viewers', {hasText: '1 here'}).waitFor();
});

test('another node can be chosen from the list of all', async () => {
  const [one, two] = cluster.members;
  const page = await openPage(one!.page);
  await page.locator('#node').click();
  assert.equal(await page.locator('#node-list li').count(), 3);
  await page.locator('#node-list li[data-state="good"]').nth(2).waitFor();
  await page.locator('[aria-label="Use node 2"]').click();
  await page.locator('#node-text', {hasText: `node ${two!.node} · `}).waitFor();
  await page.locator('#node-list li', {hasText: 'node 2'}).locator('.here').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#nodes').waitFor({state: 'hidden'});
});
