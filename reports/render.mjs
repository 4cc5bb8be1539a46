#!/usr/bin/env node
// parley report: result folders in, plots and one offline page out.

import {mkdirSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import {InputError, readResults} from './read.mjs';
import {buildFigures} from './figures/all.mjs';
import {buildFindings} from './findings.mjs';
import {buildFlags} from './flags.mjs';
import {buildModel} from './model.mjs';
import {csv, markdown} from './format.mjs';
import {renderPage} from './page.mjs';

const FILE_WIDTH = 980;
// The widths of one and two columns of a paper, in mm.
const COLUMNS = {'1col': 85, '2col': 178};
const FILES = ['svg', 'pdf', 'csv', 'md', 'columns'];
const HEROES = ['latency-throughput', 'fault-timeline'];

const HELP = `Usage: render.mjs DIR... --out OUT [--json] [--readme DIR]

Turns result folders (of sweeps, of single runs, or one that holds sweeps) into
plots (OUT/plots/*.svg, *.pdf, *.csv, *.md; *-1col and *-2col for the columns
of a paper) and one self-contained page (OUT/report.html).

  --out OUT      where the report goes (made when absent)
  --files LIST   what to write beside the page, of svg, pdf, csv, md and
                 columns (default: all of them)
  --readme DIR   also write the plots of a README, light and dark, to DIR
  --json         print {report, plots, absent, flags} on standard output
  --help         this text

Examples:
  node reports/render.mjs results/quick --out results/quick/report
  node reports/render.mjs results/a results/b --out /tmp/both --json
`;

class UsageError extends Error {}

function parse(argv) {
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        out: {type: 'string'},
        files: {type: 'string', default: FILES.join()},
        readme: {type: 'string'},
        json: {type: 'boolean'},
        help: {type: 'boolean', short: 'h'},
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const {values, positionals} = parsed;
  if (values.help) return {help: true};
  if (positionals.length === 0) throw new UsageError('name at least one folder of results');
  if (!values.out) throw new UsageError('--out OUT is missing: where the report goes');
  const kinds = values.files.split(',').filter(Boolean);
  const unknown = kinds.find((kind) => !FILES.includes(kind));
  if (unknown) throw new UsageError(`--files: '${unknown}' is not known; allowed: ${FILES.join(', ')}`);
  return {dirs: positionals, out: resolve(values.out), kinds, readme: values.readme, json: values.json};
}

/** The figure's numbers as Markdown: medians with their intervals where it has them, else all. */
function inMarkdown(figure) {
  const {title, conditions, caption, medians, data} = figure;
  const rows = medians?.length ? medians : data;
  return `# ${title}\n\n${conditions}\n\n${caption}\n\n${markdown(rows)}`;
}

/** Writes the figure for the columns of a paper; returns {svg_1col, pdf_1col, …} as writePlot() does. */
async function writeColumns({drawColumn, convertPdf}, figure, {out, withPdf}) {
  const files = {};
  for (const [columns, mm] of Object.entries(COLUMNS)) {
    const [svg, pdf] = ['svg', 'pdf'].map((kind) => `plots/${figure.name}-${columns}.${kind}`);
    writeFileSync(join(out, svg), await drawColumn(figure, mm));
    if (withPdf) await convertPdf(join(out, svg), join(out, pdf));
    Object.assign(files, {[`svg_${columns}`]: svg, [`pdf_${columns}`]: withPdf ? pdf : null});
  }
  return files;
}

/** Writes the figure's numbers as CSV (each repetition, and the medians with their intervals). */
function writeNumbers(figure, {out}) {
  const files = {csv: `plots/${figure.name}.csv`, medians: null};
  writeFileSync(join(out, files.csv), csv(figure.data));
  if (!figure.medians?.length) return files;
  files.medians = `plots/${figure.name}-medians.csv`;
  writeFileSync(join(out, files.medians), csv(figure.medians));
  return files;
}

/**
 * Writes the files of one figure that are wanted, `kinds` of FILES; returns their paths relative to `out`
 * (null of what there is not).
 */
async function writePlot(draw, figure, to) {
  const {out, kinds, withPdf} = to;
  const path = (kind) => `plots/${figure.name}.${kind}`;
  const files = {svg: null, pdf: null};
  if (kinds.includes('svg')) {
    files.svg = path('svg');
    const svg = await draw.drawSvg(figure, {width: FILE_WIDTH, theme: 'light', titled: true});
    writeFileSync(join(out, files.svg), svg);
    if (withPdf) await draw.convertPdf(join(out, files.svg), join(out, (files.pdf = path('pdf'))));
  }
  if (kinds.includes('csv')) Object.assign(files, writeNumbers(figure, to));
  if (kinds.includes('md')) writeFileSync(join(out, (files.md = path('md'))), inMarkdown(figure));
  if (kinds.includes('columns')) Object.assign(files, await writeColumns(draw, figure, to));
  return files;
}

/** Writes the README's plots: <name>-light.svg and <name>-dark.svg; returns the files' paths. */
async function writeHeroes({drawSvg}, figures, dir) {
  mkdirSync(dir, {recursive: true});
  const files = [];
  for (const figure of figures.filter((f) => HEROES.includes(f.name) && !f.absent)) {
    for (const theme of ['light', 'dark']) {
      const file = join(dir, `${figure.name}-${theme}.svg`);
      writeFileSync(file, await drawSvg(figure, {width: FILE_WIDTH, theme, titled: true}));
      files.push(file);
    }
  }
  return files;
}

async function main(argv) {
  const options = parse(argv);
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const model = buildModel(readResults(options.dirs));
  const figures = buildFigures(model);
  const drawn = figures.filter((figure) => !figure.absent);
  const draw = await import('./draw.mjs'); // late: Vega is slow to load, and bad input needs none
  const withPdf = options.kinds.includes('pdf') && (await draw.hasPdfConverter());
  if (options.kinds.includes('pdf') && !withPdf) {
    process.stderr.write('reports: no PDF: rsvg-convert is missing (librsvg2-bin)\n');
  }
  mkdirSync(join(options.out, 'plots'), {recursive: true});
  const written = await Promise.all(drawn.map((f) => writePlot(draw, f, {...options, withPdf})));
  const files = Object.fromEntries(drawn.map((figure, at) => [figure.name, written[at]]));
  const flags = buildFlags(model);
  const report = join(options.out, 'report.html');
  writeFileSync(report, renderPage(model, {figures, files, flags, findings: buildFindings(model)}));
  const heroes = options.readme ? await writeHeroes(draw, figures, resolve(options.readme)) : [];
  tell(options, {report, drawn, files, figures, flags, heroes, model});
}

function tell(options, {report, drawn, files, figures, flags, heroes, model}) {
  const absent = figures.filter((f) => f.absent).map((f) => ({name: f.name, reason: f.absent}));
  if (options.json) {
    const full = (file) => (file ? join(options.out, file) : null);
    const plots = drawn.map(({name, title}) => ({
      name,
      title,
      ...Object.fromEntries(Object.entries(files[name]).map(([kind, file]) => [kind, full(file)])),
    }));
    const readme = options.readme ? {readme: heroes} : {};
    process.stdout.write(`${JSON.stringify({report, plots, absent, flags, ...readme}, null, 2)}\n`);
    return;
  }
  const lines = [`${model.runs.length} runs, ${drawn.length} plots: ${report}`];
  for (const {name, reason} of absent) lines.push(`absent: ${name}: ${reason}`);
  for (const flag of flags.filter((f) => f.level !== 'info')) {
    lines.push(`${flag.level === 'stop' ? 'STOP' : 'caution'}: ${flag.title}: ${flag.text}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  const usage = error instanceof UsageError || error instanceof InputError;
  process.stderr.write(`reports: ${usage ? error.message : error.stack}\n`);
  if (error instanceof UsageError) process.stderr.write('Try --help.\n');
  process.exitCode = usage ? 2 : 1;
});
