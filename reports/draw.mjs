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

/** The SVG text of a figure. `options` as layout() takes them. */
export async function drawSvg(figure, options) {
  const {spec} = vegaLite.compile(layout(figure, options), {logger: quiet()});
  const view = new vega.View(vega.parse(spec), {renderer: 'none', logger: quiet()});
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
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
