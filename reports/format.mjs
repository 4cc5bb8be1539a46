// Numbers as people read them. Every figure on the page and in the tables goes through here, so that
// the same quantity looks the same everywhere. A missing value is shown as an en dash, never as 0.

export const MISSING = '–';

/** True for a number that can be shown or plotted. */
export const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

/** A count with thousands separators: 12345 → "12,345". */
export function count(value) {
  return isNumber(value) ? Math.round(value).toLocaleString('en-US') : MISSING;
}

/** Three significant digits, without an exponent: 0.01234 → "0.0123", 1234.5 → "1,235". */
export function significant(value, digits = 3) {
  if (!isNumber(value)) return MISSING;
  if (value === 0) return '0';
  if (Math.abs(value) >= 10 ** (digits - 1)) return count(value);
  return String(Number(value.toPrecision(digits)));
}

/** Operations per second: 52340 → "52.3 k/s". */
export function perSecond(value) {
  if (!isNumber(value)) return MISSING;
  if (value >= 1e6) return `${significant(value / 1e6)} M/s`;
  if (value >= 1e3) return `${significant(value / 1e3)} k/s`;
  return `${significant(value)} /s`;
}

/** Microseconds with the unit that fits: 950 → "950 µs", 12340 → "12.3 ms". */
export function duration(us) {
  if (!isNumber(us)) return MISSING;
  if (us >= 1e6) return `${significant(us / 1e6)} s`;
  if (us >= 1e3) return `${significant(us / 1e3)} ms`;
  return `${significant(us)} µs`;
}

/** Milliseconds of a recovery; null means that it never happened. */
export function recovery(ms) {
  return isNumber(ms) ? `${count(ms)} ms` : 'never';
}

/** Bytes with the binary unit that fits. */
export function bytes(value) {
  if (!isNumber(value)) return MISSING;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scale = 0;
  while (value >= 1024 && scale < units.length - 1) {
    value /= 1024;
    scale += 1;
  }
  return `${significant(value)} ${units[scale]}`;
}

/** A percentile as read by read.mjs: {us, above} → "12.3 ms" or "> 5 s". */
export function percentile(p) {
  if (!p || (!isNumber(p.us) && !p.above)) return MISSING;
  if (!isNumber(p.us)) return 'above timeout';
  return p.above ? `> ${duration(p.us)}` : duration(p.us);
}

/** "1 run", "3 runs". */
export function plural(n, noun, nouns = `${noun}s`) {
  return `${count(n)} ${n === 1 ? noun : nouns}`;
}

/** "a", "a and b", "a, b and c". */
export function list(words) {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

/** The middle of the numbers given (the mean of the middle two), null of none. */
export function median(values) {
  const sorted = values.filter((v) => typeof v === 'number' && !Number.isNaN(v));
  sorted.sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** "3.1", or "2.9–3.4" when the repetitions differ, each shown by `show`. */
export function range(values, show = significant) {
  const known = values.filter(isNumber);
  if (known.length === 0) return MISSING;
  const low = show(Math.min(...known));
  const high = show(Math.max(...known));
  return low === high ? low : `${low} – ${high}`;
}

const ESCAPES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

/** Text made safe for HTML, inside elements and quoted attributes. */
export function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (c) => ESCAPES[c]);
}

const MARKDOWN_ROWS = 200;

/** A value in a Markdown table: numbers with at most six significant digits, text on one line. */
function markdownCell(value) {
  if (value === null || value === undefined) return '';
  if (isNumber(value)) return String(Number(value.toPrecision(6)));
  if (value === Infinity) return '∞';
  return String(value).replace(/[\\|<>`*_[\]]/g, '\\$&').replace(/\s+/g, ' ');
}

/** Rows (objects) as a Markdown table with the columns of the first row, and how many are left out. */
export function markdown(rows) {
  if (rows.length === 0) return '';
  const columns = Object.keys(rows[0]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const align = columns.map((column) => {
    return rows.every((row) => row[column] === null || typeof row[column] === 'number') ? '---:' : '---';
  });
  const shown = rows.slice(0, MARKDOWN_ROWS);
  const body = shown.map((row) => line(columns.map((column) => markdownCell(row[column]))));
  const left = rows.length - shown.length;
  const rest = left > 0 ? `\n${plural(left, 'further row')} in the CSV beside this file.\n` : '';
  return `${[line(columns.map(markdownCell)), line(align), ...body].join('\n')}\n${rest}`;
}

/** Rows (objects) as CSV with the columns of the first row. */
export function csv(rows) {
  if (rows.length === 0) return '';
  const columns = Object.keys(rows[0]);
  const cell = (value) => {
    if (value === null || value === undefined) return '';
    const text = value === Infinity ? 'inf' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => columns.map((column) => cell(row[column])).join(','));
  return `${columns.join(',')}\n${lines.join('\n')}\n`;
}
