// Pictures of the page, light, dark and on a phone (keepPicture).

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import type {BrowserContextOptions, Page} from 'playwright-core';
import {HEIGHT, landscape, WIDTH} from './art.js';
import {differences, hover, keepPicture, openPage, savedPicture} from './browser.js';
import {canvasOf, Cluster, eventually, paint} from './cluster.js';

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start('--nodes', '3', '--size', `${WIDTH}x${HEIGHT}`);
  const cells = [...landscape()];
  // A handful at a time, through all nodes.
  const painter = async (number: number): Promise<void> => {
    for (let next = cells.pop(); next !== undefined; next = cells.pop()) {
      const [x, y] = next[0].split(',').map(Number);
      await paint(cluster.members[number % cluster.members.length]!, x!, y!, next[1]);
    }
  };
  await Promise.all(Array.from({length: 24}, (_, number) => painter(number)));
});
after(() => cluster.stop());

async function open(hash: string, options: BrowserContextOptions): Promise<Page> {
  const page = await openPage(cluster.members[0]!.page + hash, options);
  await eventually('the page shows the landscape', async () =>
    differences(await savedPicture(page), await canvasOf(cluster.members[0]!)).length === 0);
  return page;
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the page in ${colorScheme}`, async () => {
    const page = await open('', {viewport: {width: 1280, height: 800}, colorScheme});
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, colorScheme === 'light' ? 'rgb(236, 234, 230)' : 'rgb(21, 23, 27)');
    // One pixel waits for its answer, and is shown as such.
    await page.route('**/pixel', (route) => (route.request().method() === 'POST' ? undefined : route.continue()));
    await page.locator('[aria-label="Yellow"]').click();
    await page.evaluate(() => (location.hash = '#60,36,9'));
    const at = await hover(page, 24, 31);
    await page.mouse.click(at.x, at.y);
    await hover(page, 34, 36);
    await page.locator('#flight').waitFor();
    await page.locator('#place-who', {hasText: ' by '}).waitFor();
    await keepPicture(page, `canvas-${colorScheme}`);
  });
}

test('the page on a phone', async () => {
  const page = await open('#60,36,8', {
    viewport: {width: 390, height: 844}, deviceScaleFactor: 1.5, hasTouch: true, isMobile: true, colorScheme: 'light'});
  await page.touchscreen.tap(190, 330);
  await page.locator('#paint').waitFor();
  await page.locator('#place-who', {hasText: ' by '}).waitFor();
  await keepPicture(page, 'canvas-phone');
});
