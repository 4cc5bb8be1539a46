// The leader is killed while two people paint, one of them at its own page.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import type {Page} from 'playwright-core';
import {differences, live, openPage, savedPicture, settled} from './browser.js';
import {canvasOf, Cluster, eventually} from './cluster.js';

const PIXELS = 24; // a page, less than may be under way at one time
const KILL_AT = 8;

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start('--nodes', '3', '--size', '64x64');
});
after(() => cluster.stop());

/** What the page was told of its placements: "x,y" of each that was answered with 200. */
function confirmedBy(page: Page): Set<string> {
  const confirmed = new Set<string>();
  page.on('response', (response) => {
    if (!response.url().endsWith('/pixel') || response.status() !== 200) return;
    const {x, y} = response.request().postDataJSON() as {x: number; y: number};
    confirmed.add(`${x},${y}`);
  });
  return confirmed;
}

test('no confirmed pixel is lost, and both pages recover by themselves', async () => {
  const leader = await cluster.leader();
  const others = cluster.members.filter((member) => member !== leader);
  const atLeader = await openPage(`${leader.page}#8,10,12`);
  const atFollower = await openPage(`${others[0]!.page}#8,20,12`);
  const pages = [atLeader, atFollower];
  const confirmed = pages.map(confirmedBy);
  const bannerCame = atLeader.locator('#banner').waitFor({state: 'visible'});

  for (let i = 0; i < PIXELS; ++i) {
    for (const page of pages) {
      await page.keyboard.press('Space');
      await page.keyboard.press('ArrowRight');
    }
    if (i === KILL_AT) cluster.kill(leader);
  }

  await bannerCame;
  for (const page of pages) {
    await live(page);
    await settled(page);
    assert.equal(await page.locator('.toast.bad, .toast.unknown').count(), 0);
  }
  const served = (await atLeader.locator('#node-text').textContent()) ?? '';
  assert.ok(others.some(({node}) => served.startsWith(`node ${node} · `)), served);

  const cells = (y: number): string[] => Array.from({length: PIXELS}, (_, i) => `${8 + i},${y}`);
  assert.deepEqual([...confirmed[0]!].sort(), cells(10).sort(), 'each placement got its outcome in the end');
  assert.deepEqual([...confirmed[1]!].sort(), cells(20).sort());
  for (const member of others) {
    await eventually(`node ${member.node} holds all of them`, async () => {
      const canvas = await canvasOf(member);
      const all = [...confirmed[0]!, ...confirmed[1]!].map((cell) => cell.split(',').map(Number));
      return all.every(([x, y]) => canvas.at(x!, y!) === '#FF4500');
    });
  }
  for (const page of pages) {
    await eventually('the page shows the same', async () =>
      differences(await savedPicture(page), await canvasOf(others[1]!)).length === 0);
  }
});
