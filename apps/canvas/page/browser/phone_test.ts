// A phone: 390 by 844, fingers.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import type {Page} from 'playwright-core';
import {cursor, live, openPage, settled, zoomOf} from './browser.js';
import {canvasOf, Cluster, eventually} from './cluster.js';

const PHONE = {viewport: {width: 390, height: 844}, deviceScaleFactor: 2, hasTouch: true, isMobile: true};

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start('--nodes', '3', '--size', '300x300');
});
after(() => cluster.stop());

/** Two fingers around a point that go from one distance to another. */
async function pinch(page: Page, at: {x: number; y: number}, from: number, to: number): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const fingers = (gap: number): {x: number; y: number; id: number}[] => [
    {x: at.x - gap / 2, y: at.y, id: 0}, {x: at.x + gap / 2, y: at.y, id: 1}];
  await devtools.send('Input.dispatchTouchEvent', {type: 'touchStart', touchPoints: fingers(from)});
  for (let step = 1; step <= 8; ++step) {
    const touchPoints = fingers(from + ((to - from) * step) / 8);
    await devtools.send('Input.dispatchTouchEvent', {type: 'touchMove', touchPoints});
  }
  await devtools.send('Input.dispatchTouchEvent', {type: 'touchEnd', touchPoints: []});
}

test('one taps a cell, then paints it', async () => {
  const member = cluster.members[1]!;
  const page = await openPage(member.page, PHONE);
  const tap = (): Promise<void> => page.touchscreen.tap(110, 300);

  // Cells of about a pixel are shown larger first, and nothing is painted.
  await page.touchscreen.tap(190, 340);
  await eventually('it has zoomed in', async () => (await zoomOf(page)) === 20);
  const first = await cursor(page);
  await tap();
  const [x, y] = await cursor(page);
  const steps = Math.hypot(x - first[0], y - first[1]);
  assert.ok(steps > 0 && steps < 20, 'what was aimed at is in sight');
  assert.equal((await canvasOf(member)).at(x, y), '#FFFFFF', 'taps aim');

  await page.locator('[aria-label="Purple"]').tap();
  await page.locator('#paint').tap();
  await settled(page);
  await eventually('it is placed', async () => (await canvasOf(member)).at(x, y) === '#B44AC0');
  await page.locator('#place-who', {hasText: 'Purple · by you'}).waitFor();

  // A second tap on the same cell paints as well.
  await page.locator('[aria-label="Yellow"]').tap();
  await tap();
  await eventually('it is placed', async () => (await canvasOf(member)).at(x, y) === '#FFD635');
});

test('two fingers zoom, one moves', async () => {
  const page = await openPage(`${cluster.members[0]!.page}#150,150,10`, PHONE);
  await pinch(page, {x: 195, y: 350}, 80, 240);
  await eventually('it has zoomed in', async () => Math.abs((await zoomOf(page)) - 30) < 2);
  await pinch(page, {x: 195, y: 350}, 240, 80);
  await eventually('it has zoomed out', async () => Math.abs((await zoomOf(page)) - 10) < 1);
  assert.equal(await page.evaluate(() => visualViewport!.scale), 1, 'the page itself is not zoomed');
});

test('nothing is wider than the screen, and all can be hit with a finger', async () => {
  const page = await openPage(cluster.members[0]!.page, PHONE);
  await page.touchscreen.tap(190, 340);
  await page.locator('#paint').waitFor();
  assert.equal(await page.evaluate(() => document.scrollingElement!.scrollWidth), 390);
  const targets = await page.evaluate(() => [...document.querySelectorAll('button, .any')].map((one) => {
    const {left, top, right, bottom, width, height} = one.getBoundingClientRect();
    return {name: one.id || one.getAttribute('aria-label') || one.className, left, top, right, bottom, width, height};
  }).filter(({width}) => width > 0));
  assert.ok(targets.length >= 40);
  for (const {name, left, top, right, bottom, width, height} of targets) {
    assert.ok(left >= 0 && right <= 390 && top >= 0 && bottom <= 844, `${name} is on the screen`);
    assert.ok(width >= 30 && height >= 30, `${name} is ${width} by ${height}`);
  }
  await page.locator('#node').tap();
  await page.locator('#node-list li[data-state="good"]').nth(2).waitFor();
  await page.locator('[aria-label="Use node 3"]').tap();
  await page.locator('#node-text', {hasText: 'node 3 · '}).waitFor();
  await live(page);
  assert.equal(await page.evaluate(() => document.scrollingElement!.scrollWidth), 390);
});
