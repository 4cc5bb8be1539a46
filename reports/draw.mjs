// Draws figures as files: SVG by Vega, PDF by rsvg-convert from that SVG.

import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import {layout, textWidth} from './layout.mjs';

const run = promisify(execFile);

// Without a canvas Vega takes every character for 0.8 em, which widens plots by half.
vega.textMetrics.width = (item, text) => {
  return textWidth(String(text ?? item.text ?? ''), item.fontSize ?? 11);
};

/** A logger that keeps Vega's warnings out of the program's output; errors are thrown. */
const quiet = () => {
  const logger = {
    level: () => logger,
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
    error: (...words) => {
      throw new Error(words.join(' '));
    },
  };
  return logger;
};

/** A spec without the marks that nobody sees: on a page they are for the pointer. */
function visible(spec) {
  if (!spec.layer) return spec;
  const layer = spec.layer.filter((part) => part.mark?.opacity !== 0).map(visible);
  return {...spec, layer};
}

function inFile(figure) {
  const panels = figure.panels.map((panel) => {
    return {...panel, rows: panel.rows.map((row) => ({...row, spec: visible(row.spec)}))};
  });
  return {...figure, panels};
}

/** The SVG text of a figure. `options` as layout() takes them. */
export async function drawSvg(figure, options) {
  const {spec} = vegaLite.compile(layout(inFile(figure), options), {logger: quiet()});
  const view = new vega.View(vega.parse(spec), {renderer: 'none', logger: quiet()});
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

const PX_PER_MM = 96 / 25.4;

const TOLERATED = 1.03;

/** {svg, width, height}: the figure within `wide` pixels, as far as its texts allow that. */
async function fitted(figure, wide) {
  const drawn = async (columns, width) => {
    const options = {width, theme: 'light', titled: false, print: true};
    const svg = await drawSvg({...figure, maxColumns: columns}, options);
    const size = /^<svg[^>]* viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg);
    return {svg, width: Number(size[1]), height: Number(size[2])};
  };
  // Texts that stick out of their panels make a plot wider than asked for: then fewer panels stand side by
  // side and, when there is only one, it leaves them the room.
  for (let columns = figure.maxColumns; columns > 0; columns -= 1) {
    const plot = await drawn(columns, wide);
    if (plot.width <= wide * TOLERATED) return plot;
    if (columns === 1) return drawn(1, Math.round(2 * wide - plot.width));
  }
  throw new Error(`figure '${figure.name}' has no columns`);
}

/**
 * The SVG text of a figure for a paper's column of so many mm: exactly as wide, without a title, no text
 * smaller than 7 pt.
 */
export async function drawColumn(figure, mm) {
  const {svg, width, height} = await fitted(figure, Math.floor(mm * PX_PER_MM));
  const tall = ((mm * height) / width).toFixed(3);
  return svg
    .replace(/^(<svg[^>]*?) width="[\d.]+"/, `$1 width="${mm}mm"`)
    .replace(/^(<svg[^>]*?) height="[\d.]+"/, `$1 height="${tall}mm"`);
}

/** True when rsvg-convert, which makes the PDF files, is installed. */
export async function hasPdfConverter() {
  try {
    await run('rsvg-convert', ['--version']);
    return true;
  } catch {
    return false;
  }
}

/** Writes `pdfFile` from `svgFile`; throws with rsvg-convert's words when it fails. */
export async function convertPdf(svgFile, pdfFile) {
  await run('rsvg-convert', ['--format', 'pdf', '--output', pdfFile, svgFile], {timeout: 60000});
}
