// Everything by keys.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {cursor, openPage, settled, zoomOf} from './browser.js';
import {canvasOf, Cluster, eventually} from './cluster.js';

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start('--nodes', '1', '--size', '50x40', '--algorithm', 'unreplicated');
});
after(() => cluster.stop());

test('one can paint without a mouse', async () => {
  const member = cluster.members[0]!;
  const page = await openPage(member.page);
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const chosen = (): Promise<string | null> =>
    page.locator('[role="radio"][aria-checked="true"]').getAttribute('aria-label');

  // The first step is from the middle.
  await press('ArrowRight');
  assert.deepEqual(await cursor(page), [26, 20]);
  await press('w', 'a', 's', 'd', 'ArrowUp', 'Shift+ArrowLeft', 'Shift+S');
  assert.deepEqual(await cursor(page), [16, 29]);
  await press('Shift+ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowDown');
  assert.deepEqual(await cursor(page), [16, 39], 'it stays on the canvas');

  await press('1', '2');
  assert.equal(await chosen(), 'Light teal');
  await press('j', 'j', 'k');
  assert.equal(await chosen(), 'Dark blue');
  await press('Enter');
  await press('ArrowRight', 'k', 'Space');
  await settled(page);
  await eventually('both are placed', async () => {
    const canvas = await canvasOf(member);
    return canvas.at(16, 39) === '#2450A4' && canvas.at(17, 39) === '#00CCC0';
  });
  // Said to those who do not see it.
  await page.locator('#spoken', {hasText: /^17, 39, Light teal · by you/}).waitFor();

  await press('+');
  await eventually('it is zoomed in', async () => (await zoomOf(page)) > 10);
  await press('f');
  await eventually('all is shown', async () => (await page.evaluate(() => location.hash)) === '');
  await press('Escape');
  await page.locator('#place-where', {hasText: '50 × 40'}).waitFor();
});

test('the palette is one stop of the Tab key, and arrows move within it', async () => {
  const page = await openPage(cluster.members[0]!.page);
  const focused = (): Promise<string | null> => page.evaluate(() => document.activeElement!.getAttribute('aria-label'));
  const seen: (string | null)[] = [];
  for (let i = 0; i < 14; ++i) {
    await page.keyboard.press('Tab');
    seen.push(await focused());
    const outlined = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement!.matches('.any input')
        ? document.activeElement!.parentElement! : document.activeElement!);
      return document.activeElement === document.body || style.outlineStyle !== 'none';
    });
    assert.ok(outlined, `the focus on ${seen.at(-1)} is seen`);
    if (seen.at(-1) === 'Red') break;
  }
  assert.equal(seen.at(-1), 'Red');
  assert.ok(seen.includes('The shared canvas') && seen.includes('Zoom in'));
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'Orange');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Any colour');
});

test('help opens and closes by keys, and takes them all meanwhile', async () => {
  const page = await openPage(cluster.members[0]!.page);
  await page.keyboard.press('?');
  await page.locator('#help-text').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Escape');
  await page.locator('#help-text').waitFor({state: 'hidden'});
  assert.equal(await page.locator('#place-where').textContent(), '50 × 40', 'the cursor did not move');
});
