// What a pixel looks like on its way, when it is refused, and when nobody can tell.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import type {Page, Route} from 'playwright-core';
import {hover, openPage, settled} from './browser.js';
import {canvasOf, Cluster, eventually} from './cluster.js';

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start('--nodes', '1', '--size', '64x64', '--algorithm', 'unreplicated');
});
after(() => cluster.stop());

/** Opens a page whose placements are answered by `answer`; returns what was sent, too. */
async function openWith(
  answer: (route: Route, attempt: number) => Promise<void>,
): Promise<{page: Page; sent: unknown[]}> {
  const page = await openPage(`${cluster.members[0]!.page}#32,32,12`);
  const sent: unknown[] = [];
  await page.route('**/pixel', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    sent.push(route.request().postDataJSON());
    await answer(route, sent.length);
  });
  return {page, sent};
}

const failure = (status: number, error: string, reason: string) => ({
  status, headers: {'Retry-After': '1'}, contentType: 'application/json', body: JSON.stringify({error, reason})});

async function click(page: Page, x: number, y: number): Promise<void> {
  const at = await hover(page, x, y);
  await page.mouse.click(at.x, at.y);
}

const colorAt = async (x: number, y: number): Promise<string> => (await canvasOf(cluster.members[0]!)).at(x, y);

test('a pixel is shown as on its way until the node has answered', async () => {
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const {page} = await openWith(async (route) => {
    await gate;
    await route.continue();
  });
  await click(page, 30, 30);
  await page.locator('#flight', {hasText: '1 on the way'}).waitFor();
  await page.locator('#place-who', {hasText: 'Red'}).waitFor();
  assert.equal(await colorAt(30, 30), '#FFFFFF');
  go();
  await settled(page);
  assert.equal(await colorAt(30, 30), '#FF4500');
});

test('a refused pixel is taken back, and the page says why', async () => {
  const {page, sent} = await openWith((route) =>
    route.fulfill(failure(400, 'color: that one is not for today', 'invalid')));
  await click(page, 31, 30);
  await page.locator('.toast.bad', {hasText: '31, 30 was not placed: color: that one is not for today'}).waitFor();
  await settled(page);
  await page.locator('#place-who', {hasText: 'White'}).waitFor();
  assert.equal(sent.length, 1);
});

test('without a leader a pixel waits, and can be taken back', async () => {
  const {page} = await openWith((route) =>
    route.fulfill(failure(503, 'no leader is known; nothing was done', 'no_leader')));
  await click(page, 32, 30);
  await page.locator('#banner', {hasText: 'No leader at the moment. Pixels wait until there is one.'}).waitFor();
  await eventually('it is taken back', async () => {
    await page.keyboard.press('Escape');
    return (await page.locator('.toast', {hasText: 'Taken back.'}).count()) > 0;
  });
  await settled(page);
  await page.locator('#banner').waitFor({state: 'hidden'});
  assert.equal(await colorAt(32, 30), '#FFFFFF');
});

test('an answer that is lost is unknown, until the retry is recognised', async () => {
  // The first attempt is done, but its answer does not arrive; the second waits for the test.
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const {page, sent} = await openWith(async (route, attempt) => {
    if (attempt === 1) {
      await route.fetch();
      return route.abort('connectionreset');
    }
    await gate;
    await route.continue();
  });
  await click(page, 33, 30);
  await page.locator('#flight', {hasText: '1 unknown'}).waitFor();
  const version = await versionOf(33, 30);
  go();
  await settled(page);
  assert.equal(await page.locator('.toast').count(), 0);
  assert.ok(sent.length >= 2);
  assert.equal(new Set(sent.map((one) => JSON.stringify(one))).size, 1, 'the same client and number');
  assert.equal(await versionOf(33, 30), version, 'it was not done twice');
});

async function versionOf(x: number, y: number): Promise<string> {
  const pixel = await (await fetch(`${cluster.members[0]!.page}pixel?x=${x}&y=${y}`)).json();
  assert.equal((pixel as {painted: boolean}).painted, true);
  return (pixel as {version: string}).version;
}
