// Links to a place are read and written; the picture can be taken away.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {cursor, differences, hover, openPage, savedPicture} from './browser.js';
import {canvasOf, Cluster, eventually, paint} from './cluster.js';

let cluster: Cluster;
let home: string;
before(async () => {
  cluster = await Cluster.start('--nodes', '1', '--size', '250x150', '--algorithm', 'unreplicated');
  home = cluster.members[0]!.page;
});
after(() => cluster.stop());

test('a link leads to its cell', async () => {
  const page = await openPage(`${home}#120,80,16`);
  assert.deepEqual(await cursor(page), [120, 80]);
  const {x, y} = await hover(page, 120, 80);
  assert.ok(Math.abs(x - 640) < 20 && y > 300 && y < 500, 'it is in the middle');
  // A change of the address by hand.
  await page.evaluate(() => (location.hash = '#7,9,30'));
  await eventually('the cursor follows', async () => (await cursor(page)).join() === '7,9');
});

test('the address follows the view, and another page shows the same', async () => {
  const page = await openPage(home);
  assert.equal(await page.evaluate(() => location.hash), '', 'the whole canvas needs no link');
  await page.mouse.move(500, 350);
  await page.mouse.wheel(0, -900);
  await eventually('there is a link', async () => /^#\d+,\d+,\d/.test(await page.evaluate(() => location.hash)));
  const middle = async (): Promise<string> => page.evaluate(() => location.hash);
  const before = await middle();
  await page.mouse.down();
  await page.mouse.move(560, 380, {steps: 4});
  await page.mouse.up();
  await eventually('dragging changes it', async () => (await middle()) !== before);
  const [x, y, zoom] = (await middle()).slice(1).split(',');
  const other = await openPage(page.url());
  assert.deepEqual(await cursor(other), [Number(x), Number(y)]);
  await other.keyboard.press('j'); // anything that shows the page is ready
  assert.equal(new URL(other.url()).hash, `#${x},${y},${zoom}`);
  assert.equal(await canvasIsEmpty(), true, 'dragging paints nothing');
});

async function canvasIsEmpty(): Promise<boolean> {
  const {width, height, at} = await canvasOf(cluster.members[0]!);
  for (let y = 0; y < height; ++y) for (let x = 0; x < width; ++x) if (at(x, y) !== '#FFFFFF') return false;
  return true;
}

test('a link can be copied', async () => {
  const page = await openPage(`${home}#120,80,16`, {permissions: ['clipboard-read', 'clipboard-write']});
  await page.locator('#link').click();
  await page.locator('.toast', {hasText: 'A link to 120, 80 is copied.'}).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${home}#120,80,16`);
});

test('a bad link says what is wrong with it', async () => {
  const page = await openPage(`${home}#250,80,16`);
  await page.locator('.toast.bad', {hasText: "The link's x, “250”, is not 0 to 249."}).waitFor();
});

test('the saved picture is the canvas', async () => {
  const page = await openPage(home);
  for (let x = 0; x < 20; ++x) await paint(cluster.members[0]!, 12 * x, 7 * x, x % 2 === 0 ? '#6D001A' : '#51E9F4');
  await eventually('the picture is the canvas', async () =>
    differences(await savedPicture(page), await canvasOf(cluster.members[0]!)).length === 0);
  assert.equal((await savedPicture(page)).width, 250);
});
