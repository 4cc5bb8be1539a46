// A browser without a window, for the tests of the page and its screenshots.

import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

/** Where chromium is; undefined without one. */
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => existsSync(file));

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
];

/**
 * Opens a report in a theme and lets its scripts run; returns what chromium printed.
 * @param file the report.html
 * @param options {width, height: of the window in pixels, theme: "light"|"dark", hash: of the address,
 *     then: a script that runs last, flags: further ones of chromium's}
 */
export function browse(file, {width, height = 900, theme, hash = '', then = '', flags}) {
  const profile = mkdtempSync(join(tmpdir(), 'parley-browser-'));
  try {
    const page = join(profile, 'page.html');
    // The theme is fixed before the page's own first script reads it.
    const html = readFileSync(file, 'utf8').replace(
      "<script>let t=null;try{t=localStorage.getItem('parley-theme')}catch{}",
      `<script>let t='${theme}';`,
    );
    writeFileSync(page, then ? `${html}<script type="module">${then}</script>` : html);
    const result = spawnSync(
      CHROMIUM,
      [
        ...FLAGS,
        `--user-data-dir=${profile}`,
        `--window-size=${width},${height}`,
        '--virtual-time-budget=20000',
        ...flags,
        `${pathToFileURL(page).href}${hash}`,
      ],
      {encoding: 'utf8', maxBuffer: 64 * 2 ** 20, timeout: 300000},
    );
    if (result.status !== 0) throw new Error(`chromium: ${result.stderr || result.error}`);
    return result.stdout;
  } finally {
    rmSync(profile, {recursive: true, force: true, maxRetries: 5});
  }
}
