// A browser for the tests: Debian's Chromium, driven by Playwright.

import assert from 'node:assert/strict';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after} from 'node:test';
import {chromium, type Browser, type BrowserContextOptions, type Page} from 'playwright-core';
import {PATIENCE_MS, type Pixels} from './cluster.js';

const MAX_PICTURE_BYTES = 200_000;
const CHROMIUM = process.env['PARLEY_CHROMIUM'] ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--force-color-profile=srgb',
];

let running: Promise<Browser> | null = null;
const troubles: string[] = []; // errors that no page should have

after(async () => {
  await (await running)?.close();
  assert.deepEqual(troubles, [], 'no script failed in any page');
});

/** Opens a page, each in a browser profile of its own, and waits until it is `ready`. */
export async function openPage(url: string, options: BrowserContextOptions = {}, ready = live): Promise<Page> {
  running ??= chromium.launch({executablePath: CHROMIUM, args: ARGUMENTS});
  const viewport = {width: 1280, height: 800};
  const context = await (await running).newContext({viewport, acceptDownloads: true, ...options});
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.on('pageerror', (error) => troubles.push(String(error.stack ?? error)));
  await page.goto(url);
  await ready(page);
  return page;
}

/** Waits until a page shows the canvas of a node that is well. */
export async function live(page: Page): Promise<void> {
  await page.locator('#node[data-state="good"]').waitFor();
  await page.locator('#banner').waitFor({state: 'hidden'});
}

/** Waits until each of the page's placements has its outcome. */
export async function settled(page: Page): Promise<void> {
  await page.locator('#flight').waitFor({state: 'hidden'});
}

/** Moves the mouse to a cell; the page has to be zoomed in on it or near it. */
export async function hover(page: Page, x: number, y: number): Promise<{x: number; y: number}> {
  let at = {x: 640, y: 400};
  // From where the mouse is, the page says which cell that is.
  for (let tries = 0; tries < 4; ++tries) {
    await page.mouse.move(at.x, at.y);
    const [column, row] = await cursor(page);
    if (column === x && row === y) return at;
    const zoom = await zoomOf(page);
    at = {x: at.x + (x - column) * zoom, y: at.y + (y - row) * zoom};
  }
  throw new Error(`the mouse does not reach ${x}, ${y}`);
}

/** The cell under the cursor as the page shows it. */
export async function cursor(page: Page): Promise<[number, number]> {
  const text = (await page.locator('#place-where').textContent()) ?? '';
  assert.match(text, /^\d+, \d+$/);
  return text.split(', ').map(Number) as [number, number];
}

/** Pixels a cell, of the link in the address. */
export async function zoomOf(page: Page): Promise<number> {
  return Number((await page.evaluate(() => location.hash)).split(',')[2]);
}

/** The picture that the page saves. */
export async function savedPicture(page: Page): Promise<Pixels> {
  const downloading = page.waitForEvent('download');
  await page.locator('#save').click();
  const stream = await (await downloading).createReadStream();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  const {width, height, data} = await page.evaluate(decode, Buffer.concat(parts).toString('base64'));
  const bytes = Buffer.from(data, 'base64'); // four a cell
  const at = (x: number, y: number): string => {
    const color = bytes.readUInt32BE(4 * (y * width + x)) >>> 8;
    return `#${color.toString(16).padStart(6, '0').toUpperCase()}`;
  };
  return {width, height, at};
}

async function decode(png: string): Promise<{width: number; height: number; data: string}> {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext('2d')!;
  pen.drawImage(image, 0, 0);
  const {data} = pen.getImageData(0, 0, image.width, image.height);
  let text = '';
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return {width: image.width, height: image.height, data: btoa(text)};
}

/**
 * Keeps a picture of a page in the folder that PARLEY_PICTURES names: `PARLEY_PICTURES=$PWD/docs` renews
 * those of the README.
 */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const png = await page.screenshot({animations: 'disabled'});
  assert.ok(png.length < MAX_PICTURE_BYTES, `${name} has ${png.length} bytes`);
  const folder = process.env['PARLEY_PICTURES'] ?? '';
  if (folder === '') return;
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, `${name}.png`), png);
}

/** The cells in which two pictures differ, the first few of them. */
export function differences(a: Pixels, b: Pixels): string[] {
  const found: string[] = [];
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  for (let y = 0; y < a.height; ++y) {
    for (let x = 0; x < a.width && found.length < 5; ++x) {
      if (a.at(x, y) !== b.at(x, y)) found.push(`${x}, ${y}: ${a.at(x, y)} and ${b.at(x, y)}`);
    }
  }
  return found;
}
