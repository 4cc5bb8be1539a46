// All strategies on one page: cut the network, paint on both sides, heal, and see which pixels survive.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import type {Locator, Page} from 'playwright-core';
import {keepPicture, openPage} from './browser.js';
import {Clusters, eventually} from './cluster.js';

const COLUMNS = 36; // cells that are shown in a row
const ORDERED = ['raft', 'bully_2pc'];
const SHAPES = {
  heart: ['.##.##.', '#######', '#######', '.#####.', '..###..', '...#...'],
  ring: ['.####.', '#....#', '#....#', '#....#', '.####.'],
} as const;

let clusters: Clusters;
before(async () => {
  clusters = await Clusters.start(3, '--size', '200x100');
});
after(() => clusters.stop());

async function allWell(page: Page): Promise<void> {
  await page.locator('.strategy').nth(2).waitFor();
  await eventually('all nodes are well', async () => (await page.locator('.who[data-state="good"]').count()) === 6);
}

const column = (page: Page, algorithm: string): Locator => page.locator(`.strategy[data-algorithm="${algorithm}"]`);

async function counts(page: Page, algorithm: string): Promise<Record<string, number>> {
  const values = await column(page, algorithm).locator('[data-count]').evaluateAll((all) =>
    all.map((one) => [(one as HTMLElement).dataset['count'], Number(one.textContent)] as [string, number]));
  return Object.fromEntries(values);
}

async function counted(page: Page, algorithm: string, wanted: Record<string, number>): Promise<void> {
  let seen = {};
  await eventually(`${algorithm} counts ${JSON.stringify(wanted)}`, async () => {
    seen = await counts(page, algorithm);
    return Object.entries(wanted).every(([name, value]) => (seen as Record<string, number>)[name] === value);
  }).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(seen)}`));
}

async function click(page: Page, side: 0 | 1, x: number, y: number): Promise<void> {
  const canvas = column(page, 'raft').locator('canvas').nth(side);
  const cell = (await canvas.boundingBox())!.width / COLUMNS;
  await canvas.click({position: {x: (x + 0.5) * cell, y: (y + 0.5) * cell}});
}

async function draw(page: Page, side: 0 | 1, shape: readonly string[], left: number, top: number): Promise<number> {
  let cells = 0;
  for (const [y, row] of shape.entries()) {
    for (const [x, mark] of [...row].entries()) {
      if (mark !== '#') continue;
      await click(page, side, left + x, top + y);
      ++cells;
    }
  }
  return cells;
}

test('the network is cut, both sides paint, and what survives is seen', async () => {
  const page = await openPage(clusters.page, {viewport: {width: 1280, height: 860}}, allWell);
  assert.deepEqual(await page.locator('.strategy h2').allTextContents(), [...ORDERED, 'gossip_lww']);

  await page.locator('[aria-label="Yellow"]').click();
  await click(page, 0, 2, 2);
  for (const algorithm of [...ORDERED, 'gossip_lww']) {
    await counted(page, algorithm, {placed: 1, waiting: 0, failed: 0, over: 0, differing: 0});
  }

  await page.locator('#cut').click();
  await page.locator('.toast', {hasText: 'The network is cut'}).waitFor();
  assert.ok(await page.locator('#cut').isDisabled());
  await page.locator('[aria-label="Red"]').click();
  const first = await draw(page, 0, SHAPES.heart, 13, 8);
  await page.locator('[aria-label="Blue"]').click();
  const second = await draw(page, 1, SHAPES.ring, 17, 8);

  // Where each write needs a majority, one side waits; where it does not, both are told "done".
  for (const algorithm of ORDERED) {
    await counted(page, algorithm, {placed: 1 + second, waiting: first, failed: 0, differing: second});
  }
  const cells = await counts(page, 'gossip_lww');
  await counted(page, 'gossip_lww', {placed: 1 + first + second, waiting: 0, failed: 0, over: 0});
  assert.ok(cells['differing']! > first, 'the sides differ wherever either has painted');
  await page.mouse.move(0, 0);
  await keepPicture(page, 'side-by-side');

  await page.locator('#heal').click();
  for (const algorithm of [...ORDERED, 'gossip_lww']) {
    await counted(page, algorithm, {placed: 1 + first + second, waiting: 0, failed: 0, differing: 0});
    const {over} = await counts(page, algorithm);
    assert.equal(over, overlap(), 'of two colours in a cell one gives way');
  }
  assert.ok(await page.locator('#cut').isEnabled());
});

/** In how many cells both shapes lie. */
function overlap(): number {
  const cells = (shape: readonly string[], left: number): string[] =>
    shape.flatMap((row, y) => [...row].flatMap((mark, x) => (mark === '#' ? [`${left + x},${y}`] : [])));
  const heart = new Set(cells(SHAPES.heart, 13));
  return cells(SHAPES.ring, 17).filter((cell) => heart.has(cell)).length;
}

test('it is painted by keys too', async () => {
  const page = await openPage(clusters.page, {}, allWell);
  const before_ = await counts(page, 'raft');
  await column(page, 'gossip_lww').locator('canvas').nth(1).focus();
  for (const key of ['ArrowUp', 'ArrowUp', 'ArrowLeft', 'Enter']) await page.keyboard.press(key);
  await counted(page, 'raft', {placed: before_['placed']! + 1, differing: 0});
});

test('without the address of the clusters the page says what it needs', async () => {
  const address = clusters.page.replace(/#.*/, '');
  const page = await openPage(address, {}, async (opened) => {
    await opened.locator('.toast', {hasText: 'parley canvas --algorithm all'}).waitFor();
  });
  assert.equal(await page.locator('.strategy').count(), 0);
});
