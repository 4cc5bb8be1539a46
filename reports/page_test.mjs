// The page of a report: what is in it, and what a browser makes of it.

import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import {CHROMIUM, browse} from './testdata/browser.mjs';
import {FIGURES, fullRuns, report, twoRuns} from './testdata/reporting.mjs';

let full;
before(() => {
  full = report('full', fullRuns());
});

test('the page loads nothing from anywhere', () => {
  const ours = full.html.replace(/<script>[\s\S]*?<\/script>/g, '');
  assert.doesNotMatch(ours, /https?:\/\//);
  assert.doesNotMatch(ours, /<(script|link|img|iframe|object|source)\b[^>]*\b(src|href|data)=/i);
  assert.doesNotMatch(ours, /@import|url\(\s*["']?(https?:)?\/\//i);
  assert.match(full.html, /Content-Security-Policy" content="default-src 'none';/);
  assert.match(full.html, /id="licenses">Copyright/, 'the libraries inside keep their licence');
  assert.ok(full.html.length < 3e6, `${full.html.length} bytes`);
});

test('text of result files cannot become markup or script', () => {
  const runs = twoRuns();
  for (const run of runs) {
    run.algorithm = '</script><script>alert(1)</script>';
    run.manifest = {notes: ['<img src=x onerror=alert(2)>']};
  }
  const result = report('hostile', runs);
  assert.equal(result.status, 0, result.stderr);
  assert.doesNotMatch(result.html, /<script>alert/);
  assert.doesNotMatch(result.html, /<img src=x/);
});

/** The page's DOM after its scripts ran, without them; `options` as browse() takes them. */
function domOf(file, options) {
  return browse(file, {...options, flags: ['--dump-dom']}).replace(/<script[\s\S]*?<\/script>/g, '');
}

for (const [width, theme, color] of [
  [1400, 'light', '#0072b2'],
  [500, 'dark', '#56b4e9'],
]) {
  test(
    `a browser draws every plot at ${width} pixels, ${theme}`,
    {skip: !CHROMIUM && 'no chromium'},
    () => {
      const dom = domOf(full.done.report, {width, theme});
      assert.match(dom, new RegExp(`<html[^>]*data-theme="${theme}"[^>]*data-ready="true"`));
      assert.equal((dom.match(/<svg[^>]*class="marks"/g) ?? []).length, FIGURES.length);
      assert.ok(dom.includes(`stroke="${color}"`), 'in the colours of the theme');
      for (const [, wide] of dom.matchAll(/<svg[^>]*class="marks"[^>]*width="(\d+)"/g)) {
        assert.ok(Number(wide) <= width, `${wide} of ${width}`);
      }
    },
  );
}

/** What a plot of the page's DOM says, as its texts. */
function textsIn(dom, name) {
  const plot = new RegExp(`id="plot-${name}".*?</figure>`, 's').exec(dom)[0];
  return [...plot.matchAll(/<text[^>]*>([^<]+)</g)].map(([, text]) => text);
}

test('an address shows what it chooses, in all plots, on a phone', {skip: !CHROMIUM && 'no chromium'}, () => {
  const hash = '#strategy=raft&nodes=3&at=cost-per-operation';
  const dom = domOf(full.done.report, {width: 500, theme: 'light', hash});
  assert.match(dom, /data-ready="true"/);
  assert.deepEqual(
    textsIn(dom, 'latency-throughput').filter((text) => text.includes(' · ')),
    ['raft · 3 nodes'],
  );
  const bars = textsIn(dom, 'cost-per-operation').filter((text) => text.includes('@'));
  assert.ok(bars.length > 0 && bars.every((text) => text.startsWith('raft 3 @')), bars.join());
  const panels = textsIn(dom, 'both-sides').filter((text) => text.includes('nodes,'));
  assert.deepEqual(panels, ['raft · 3 nodes, partition-leader']);
  assert.match(dom, /role="status">1 of 4 series</);
});

/** Begins a script of browse(): until(condition), plotOf(name), and all is drawn. */
const UNTIL = `
  const until = (what) => new Promise((done) => {
    const timer = setInterval(() => what() && (clearInterval(timer), done()), 20);
  });
  const root = document.documentElement;
  const plotOf = (name) => document.getElementById('plot-' + name);
  await until(() => root.dataset.ready);`;

test('a choice changes the plots and the address, and a link keeps it', {skip: !CHROMIUM && 'no chromium'}, () => {
  const then = `${UNTIL}
    document.querySelector('#filter input[value="raft"]').focus();
    document.activeElement.click();
    await until(() => location.hash !== '');
    root.dataset.chosen = location.hash;
    document.querySelector('nav a[href="#recovery"]').click();
    await until(() => location.hash.includes('at='));
    root.dataset.moved = location.hash;
    await until(() => !document.getElementById('plot-latency-throughput').textContent.includes('raft'));
    root.dataset.filtered = 'yes';`;
  const dom = domOf(full.done.report, {width: 1200, theme: 'dark', then});
  assert.match(dom, /data-chosen="#strategy=unreplicated&amp;strategy=gossip_lww"/);
  assert.match(dom, /data-moved="#strategy=unreplicated&amp;strategy=gossip_lww&amp;at=recovery"/);
  assert.match(dom, /data-filtered="yes"/);
  assert.ok(!textsIn(dom, 'latency-distribution').some((text) => text.startsWith('raft')));
  assert.ok(textsIn(dom, 'latency-distribution').includes('gossip_lww · 3 nodes'));
});

test('a link to a place draws nothing again', {skip: !CHROMIUM && 'no chromium'}, () => {
  const then = `${UNTIL}
    let drawn = 0;
    const embed = window.vegaEmbed;
    window.vegaEmbed = (...args) => (drawn += 1, embed(...args));
    root.style.scrollBehavior = 'auto'; // no frames pass here that a smooth one needs
    document.querySelector('nav a[href="#recovery"]').click();
    await until(() => location.hash === '#recovery');
    await new Promise((done) => setTimeout(done, 500));
    root.dataset.drawn = drawn;
    root.dataset.scrolled = Math.abs(document.getElementById('recovery').getBoundingClientRect().top) < 200;
    document.querySelector('#filter input[value="raft"]').click();
    await until(() => drawn > 0);
    root.dataset.hash = location.hash;`;
  const dom = domOf(full.done.report, {width: 1200, theme: 'light', then});
  assert.match(dom, /data-drawn="0"/);
  assert.match(dom, /data-scrolled="true"/);
  assert.match(dom, /data-hash="#strategy=unreplicated&amp;strategy=gossip_lww&amp;at=recovery"/, 'kept');
});

test('a plot that fails says so, and the others and the next drawing go on', {skip: !CHROMIUM && 'no chromium'}, () => {
  const then = `${UNTIL}
    const embed = window.vegaEmbed;
    let [failing, drawn, finalized] = [true, 0, 0];
    window.vegaEmbed = async (place, ...args) => {
      if (failing && place.id === 'plot-recovery') throw new Error('no <b>memory</b>');
      const result = await embed(place, ...args);
      drawn += 1;
      return {...result, finalize: () => (finalized += 1, result.finalize())};
    };
    const theme = document.getElementById('theme');
    theme.click();
    await until(() => drawn === ${FIGURES.length - 1});
    root.dataset.failed = plotOf('recovery').textContent;
    failing = false;
    theme.click();
    await until(() => drawn === ${2 * FIGURES.length - 1});
    root.dataset.finalized = finalized;
    root.dataset.again = plotOf('recovery').querySelector('svg.marks') !== null;`;
  const dom = domOf(full.done.report, {width: 1200, theme: 'light', then});
  assert.match(dom, /data-failed="This plot could not be drawn: no (<|&lt;)b(>|&gt;)memory/);
  assert.match(dom, /data-again="true"/);
  assert.match(dom, new RegExp(`data-finalized="${FIGURES.length - 1}"`), 'each earlier plot once');
});

test('a page with one strategy at one size has nothing to choose', () => {
  assert.match(full.html, /<form id="filter"/);
  assert.doesNotMatch(report('alone', twoRuns()).html, /<form id="filter"/);
});
