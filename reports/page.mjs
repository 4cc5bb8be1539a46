// The page: one file that needs no network. The plots' code, data and styles are inside it.

import {readFileSync} from 'node:fs';
import {bySetting, hostName, isOfStrategy, medianOf} from './model.mjs';
import {
  consistencyTable,
  factsTable,
  faultsTable,
  mediansTable,
  modelsTable,
  nodesTable,
  recoveryTable,
  runsTable,
} from './tables.mjs';
import {count, escapeHtml, isNumber, list, perSecond, plural} from './format.mjs';
import {colorsOf} from './layout.mjs';
import {pack} from './pack.mjs';
import {shared} from './shared.mjs';
import {isPredicted} from './figures/predicted.mjs';
import {styleOf} from './figures/style.mjs';
import {toToml} from './toml.mjs';

const here = (leaf) => new URL(leaf, import.meta.url);
const PACKAGES = ['vega', 'vega-lite', 'vega-embed'];

const CHROME = {
  light: {
    page: '#f6f7f8',
    line: '#dfe2e6',
    link: '#00588a',
    good: '#00724f',
    warn: '#b56a00',
    'bad-soft': '#fdecea',
    'warn-soft': '#fff6e5',
  },
  dark: {
    page: '#0d1014',
    line: '#2b323b',
    link: '#7cc4f2',
    good: '#4fd1a0',
    warn: '#f0b63a',
    'bad-soft': '#2a1716',
    'warn-soft': '#282013',
  },
};

function variables(theme) {
  return Object.entries({...colorsOf(theme), ...CHROME[theme]})
    .map(([name, color]) => `--${name}:${color}`)
    .join(';');
}

function styles() {
  const keys = Object.keys(colorsOf('light'))
    .map((name) => `.key[data-color="${name}"]{background:var(--${name})}`)
    .join('');
  return (
    `:root{${variables('light')}}:root[data-theme="dark"]{${variables('dark')}}` +
    `${keys}\n${readFileSync(here('page.css'), 'utf8')}`
  );
}

/** A script's text, made safe to stand inside a <script> element. */
const inScript = (text) => text.replace(/<\/script/gi, '<\\/script').replace(/<!--/g, '<\\!--');
const asJson = (value) =>
  JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);

function scripts(figures, series) {
  const libraries = PACKAGES.map((name) => {
    const text = readFileSync(here(`node_modules/${name}/build/${name}.min.js`), 'utf8').replace(
      /\n\/\/# sourceMappingURL=.*\s*$/,
      '',
    );
    return `<script>${inScript(text)}</script>`;
  });
  const data = figures
    .filter((f) => !f.absent)
    .map(({name, title, conditions, legend, panels, minPanel, maxColumns, yExtent}) => {
      return {name, title, conditions, legend, panels, minPanel, maxColumns, yExtent};
    });
  const own = ['layout.mjs', 'filter.mjs', 'pack.mjs', 'page_client.js'].map((leaf) => readFileSync(here(leaf), 'utf8'));
  const licenses = PACKAGES.map((name) =>
    readFileSync(here(`node_modules/${name}/LICENSE`), 'utf8'),
  );
  return (
    `<script type="text/plain" id="licenses">${inScript(licenses.join('\n'))}</script>\n` +
    `<script type="application/json" id="figures">${asJson(pack(data))}</script>\n` +
    `<script type="application/json" id="series">${asJson(series)}</script>\n` +
    `${libraries.join('\n')}\n<script type="module">\n${inScript(own.join('\n'))}</script>`
  );
}

const FIRST_THEME =
  "let t=null;try{t=localStorage.getItem('parley-theme')}catch{}" +
  "document.documentElement.dataset.theme=t==='dark'||t==='light'?t:" +
  "matchMedia('(prefers-color-scheme: dark)').matches?'dark':'light'";
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; " +
  "style-src 'unsafe-inline'; img-src data: blob:";
const MARK =
  '<svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">' +
  '<rect x="0" y="0" width="10" height="10" fill="var(--raft)"/>' +
  '<rect x="12" y="0" width="10" height="10" fill="var(--bully_2pc)"/>' +
  '<rect x="0" y="12" width="10" height="10" fill="var(--gossip_lww)"/>' +
  '<rect x="12" y="12" width="10" height="10" fill="var(--unreplicated)"/></svg>';

function tile(label, value, note, bad = false) {
  return (
    `<div class="tile${bad ? ' bad' : ''}"><div class="label">${escapeHtml(label)}</div>` +
    `<div class="value">${escapeHtml(value)}</div><div class="note">${escapeHtml(note)}</div></div>`
  );
}

function tiles(model) {
  const planned = model.runs.length + model.missing.length;
  const out = [
    tile(
      'Runs',
      `${count(model.runs.length)} of ${count(planned)}`,
      plural(model.sweeps.length, 'sweep'),
      model.missing.length > 0,
    ),
  ];
  const fastest = model.steady.filter(isOfStrategy).sort((a, b) => {
    return b.summary.achieved_ops_per_s - a.summary.achieved_ops_per_s;
  })[0];
  if (fastest) {
    out.push(
      tile(
        'Highest throughput of a strategy',
        perSecond(fastest.summary.achieved_ops_per_s),
        `${fastest.series}, ${fastest.load.label}`,
      ),
    );
  }
  const back = model.events.filter((event) => isNumber(event.back_to_95_ms));
  if (model.events.length) {
    const text = back.length ? `${count(medianOf(back, (e) => e.back_to_95_ms))} ms` : 'never';
    const never = model.events.length - back.length;
    out.push(
      tile(
        'Back to 95 % after a fault',
        text,
        `median of ${plural(model.events.length, 'fault')}${never ? `, ${never} never` : ''}`,
        never > 0,
      ),
    );
  }
  const of = (value) => model.runs.filter((r) => r.summary.consistency.verdict === value).length;
  out.push(
    tile(
      'Consistency',
      of('fail') ? `${of('fail')} failed` : `${of('pass')} passed`,
      `${of('not_promised')} not promised, ${of('not_checked')} not checked`,
      of('fail') > 0,
    ),
  );
  return `<div class="tiles">${out.join('')}</div>`;
}

function flagsHtml(flags) {
  if (flags.length === 0) return '';
  const WORD = {stop: 'stop', warn: 'caution', info: 'note'};
  const one = (flag) =>
    `<div class="flag ${flag.level}"><span class="level">${WORD[flag.level]}</span>` +
    `<b>${escapeHtml(flag.title)}</b>${escapeHtml(flag.text)}</div>`;
  const loud = flags.filter((flag) => flag.level !== 'info');
  const notes = flags.filter((flag) => flag.level === 'info');
  const folded = notes.length
    ? `<details class="more"><summary>${plural(notes.length, 'note')}</summary>` +
      `${notes.map(one).join('\n')}</details>`
    : '';
  return `<div class="flags" id="flags">${loud.map(one).join('\n')}${folded}</div>`;
}

/** The bar that chooses what plots show; none where there is nothing to choose. */
function filterHtml(model) {
  const nodes = [...new Set(model.series.map((series) => series.nodes))].sort((a, b) => a - b);
  if (model.algorithms.length < 2 && nodes.length < 2) return '';
  const box = (name, value, key = '') =>
    `<label><input type="checkbox" name="${name}" value="${escapeHtml(value)}" checked>${key}` +
    `<span>${escapeHtml(value)}</span></label>`;
  const group = (legend, boxes) =>
    boxes.length > 1 ? `<fieldset><legend>${legend}</legend>${boxes.join('')}</fieldset>` : '';
  const colorOf = (algorithm) => styleOf(model, {algorithm, nodes: 3}).color.slice(1);
  const key = (algorithm) => `<span class="key" data-color="${escapeHtml(colorOf(algorithm))}"></span>`;
  return (
    '<form id="filter" aria-label="What the plots show">' +
    group('Strategies', model.algorithms.map((name) => box('algorithm', name, key(name)))) +
    group('Nodes', nodes.map((n) => box('nodes', n))) +
    '<button type="button" id="filter-all" hidden>Show all</button>' +
    '<span id="filter-said" role="status"></span></form>'
  );
}

function findingsHtml(groups) {
  const part = (p) =>
    typeof p === 'string' ? escapeHtml(p) : `<strong>${escapeHtml(p.strong)}</strong>`;
  return groups
    .map((group) => {
      const items = group.sentences.map((s) => `<li>${s.map(part).join('')}</li>`);
      return `<h3>${escapeHtml(group.title)}</h3><ul>${items.join('\n')}</ul>`;
    })
    .join('\n');
}

const FILE_NAMES = {
  svg: 'SVG',
  pdf: 'PDF',
  csv: 'CSV',
  medians: 'medians (CSV)',
  md: 'Markdown',
  svg_1col: 'one column: SVG',
  pdf_1col: 'PDF',
  svg_2col: 'two columns: SVG',
  pdf_2col: 'PDF',
};

function figureHtml(figure, number, files) {
  const heading = `<h2><span class="index">${number}</span>${escapeHtml(figure.title)}</h2>`;
  if (figure.absent) {
    return (
      `<figure id="${figure.name}">${heading}<p class="absent">Absent: ` +
      `${escapeHtml(figure.absent)}.</p></figure>`
    );
  }
  const links = Object.entries(files)
    .filter(([, file]) => file)
    .map(([kind, file]) => `<a href="${escapeHtml(file)}">${FILE_NAMES[kind]}</a>`);
  return `<figure id="${figure.name}">${heading}
<p class="conditions">${escapeHtml(figure.conditions)}</p>
<div class="sheet"><div class="plot" id="plot-${figure.name}" role="img" aria-label="${escapeHtml(
    `${figure.title}. ${figure.caption}`,
  )}"></div></div>
<figcaption>${escapeHtml(figure.caption)} <span class="files">${links.join(' · ')}</span></figcaption>
</figure>`;
}

function manifestHtml(model) {
  const specs = model.sweeps
    .filter((sweep) => sweep.spec)
    .map((sweep) => {
      const name = escapeHtml(sweep.name);
      return (
        `<h3>To repeat ${name}</h3><p class="quiet">Save as <code>${name}.toml</code>, then ` +
        `<code>parley sweep ${name}.toml --out results/${name}</code></p>` +
        `<pre>${escapeHtml(toToml(sweep.spec))}</pre>`
      );
    });
  const {common, own} = shared(model.runs.map((run) => run.manifest));
  const text = (value) => `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`;
  const runs = model.runs.map((run, at) => {
    return `<details class="run" id="run-${run.at}"><summary>${escapeHtml(run.id)}</summary>${text(own[at])}</details>`;
  });
  const all = runs.length > 1 ? `<h3>What all runs have in common</h3>${text(common)}` : '';
  const title = runs.length > 1 ? 'What each run has besides' : 'Manifest of the run';
  return `${specs.join('\n')}${all}<h3>${title}</h3>${runs.join('\n')}`;
}

function intro(model) {
  const nodes = [...new Set(model.runs.map((run) => run.nodes))].sort((a, b) => a - b).map(String);
  const hosts = [...new Set(model.runs.map((run) => hostName(run.manifest.host)).filter(Boolean))];
  const where =
    hosts.length === 1 ? ` on ${hosts[0]}` : hosts.length ? ` on ${hosts.length} hosts` : '';
  const settings = bySetting(model.runs).length;
  return (
    `${list(model.algorithms)} at ${list(nodes)} ${nodes.join() === '1' ? 'node' : 'nodes'}${where}, ` +
    `in ${plural(settings, 'setting')}. One application, the same load, the same faults, the same checks.`
  );
}

function section(id, title, quiet, body) {
  const note = quiet ? `<p class="quiet">${quiet}</p>` : '';
  return `<section id="${id}"><h2>${title}</h2>${note}${body}</section>`;
}

/** Long, and of interest to few: folded. */
function nodesHtml(model) {
  const told = model.runs.filter((run) => run.summary.by_node?.length > 0);
  if (told.length === 0) return [];
  return [
    section(
      'node-table',
      'What each node cost',
      'Per operation of the whole cluster, in the measured window. Messages are those that the node ' +
        'sent and received; switches are its threads\u2019, of their own accord and forced. Bytes written ' +
        'to disk are whole pages, of all that the node wrote.',
      `<details class="more"><summary>${plural(told.length, 'run')}</summary>${nodesTable(told)}</details>`,
    ),
  ];
}

function tablesHtml(model) {
  const faults =
    model.events.length === 0
      ? '<p class="absent">Absent: no run injected a fault.</p>'
      : recoveryTable(model.events) + faultsTable(model.events);
  const kills = model.events.every((event) => event.fault.startsWith('kill-leader'));
  return [
    section(
      'fault-table',
      kills ? 'What a killed leader cost, in numbers' : 'What each fault cost, in numbers',
      'Recovery in milliseconds after the injection. Pixels are the operations that did not ' +
        'succeed from the injection to the next fault or the end of the run: refused (definitely ' +
        'not done), unknown (may have been done), unsent (no place among those in flight). First the ' +
        'medians with their intervals, then every fault.',
      faults,
    ),
    section(
      'consistency-table',
      'What each strategy did to data',
      'Recorded runs: sums over the runs of a line; maxima where it says so. Not promised: counted, not ' +
        'judged. Superseded: overwritten by a write whose author did not know it. Older wins: the ' +
        'final write was over before another acknowledged one began. An order lets neither happen ' +
        'unseen, and is not searched for the first (–); it lags instead of diverging.',
      consistencyTable(model.runs, model.events),
    ),
    section(
      'median-table',
      'Medians over repetitions',
      'In brackets, from six repetitions on, the 95 % confidence interval of the median by order ' +
        'statistics (Le Boudec, Performance Evaluation, 2010, §2.2), which assumes no distribution; of ' +
        'fewer, which are too few for one, the whole range. A figure that not all repetitions have says ' +
        'what its own is. Runs without faults.',
      mediansTable(model.steady),
    ),
    section(
      'run-table',
      'All runs',
      'Latency counts from the intended send. CPU-seconds are per million operations in the ' +
        'measured window. Switches are of threads, of their own accord and forced. Write amplification: ' +
        'bytes that all nodes wrote to disk for a byte of what clients placed. No repetition is left out.',
      runsTable(model.runs),
    ),
    ...(isPredicted(model)
      ? [
          section(
            'model-table',
            'Models and measurements',
            'Errors are those of the prediction, as a share of what was measured. A dash: there is nothing to ' +
              'compare with.',
            modelsTable(model),
          ),
        ]
      : []),
    ...nodesHtml(model),
    section('conditions', 'Conditions', '', factsTable(model)),
  ].join('\n');
}

/**
 * The page's HTML.
 * @param model of buildModel
 * @param parts {figures, files: {name: {svg, pdf, …}} as writePlot() returns them, flags, findings};
 *     files are relative to the page
 */
export function renderPage(model, {figures, files, flags, findings}) {
  for (const run of model.runs) run.color = styleOf(model, run).color.slice(1);
  const title = `${[...new Set(model.sweeps.map((sweep) => sweep.name))].join(', ')} – Parley`;
  const drawn = figures.map((f, at) => figureHtml(f, at + 1, files[f.name] ?? {}));
  const links = [
    ...figures.map((f) => [f.name, f.title]),
    ['median-table', 'Medians and intervals'],
    ['run-table', 'All runs'],
    ['manifest', 'Manifest'],
  ].map(([id, text]) => `<a href="#${id}">${escapeHtml(text)}</a>`);
  return (
    `<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(title)}</title>
<script>${FIRST_THEME}</script>
<style>${styles()}</style>
</head>
<body>
<header><div class="inner">
<div class="bar"><div class="brand">${MARK}Parley</div>
<button id="theme" type="button">Theme</button></div>
<h1>${escapeHtml(model.sweeps.length === 1 ? model.sweeps[0].name : `${model.sweeps.length} sweeps`)}: ` +
    `what each strategy costs, and what it breaks</h1>
<p class="lede">${escapeHtml(intro(model))}</p>
${tiles(model)}
<nav>${links.join('\n')}</nav>
</div></header>
<main>
<noscript><p class="absent">The plots need JavaScript; they are also the SVG and PDF files beside
this page.</p></noscript>
${flagsHtml(flags)}
<section class="findings" id="findings"><h2>Findings</h2>
<p class="quiet">Written from the result files; every figure is a median over repetitions unless it is a range. Intervals:
<a href="#median-table">medians over repetitions</a>.</p>
${findingsHtml(findings)}</section>
<div id="plots">
${filterHtml(model)}
${drawn.join('\n')}
</div>
${tablesHtml(model)}
${section('manifest', 'Manifest', 'What is needed to repeat or to judge each run.', manifestHtml(model))}
</main>
<footer>Made by Parley from result files only. Plots by Vega, Vega-Lite and Vega-Embed
(BSD 3-clause; the licences are in this file).</footer>
${scripts(figures, model.series)}
</body>
</html>
`
  );
}
