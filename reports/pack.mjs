// Makes the figures' data small for the page, and whole again in it. The same text runs in node and inside the
// page, as that of layout.mjs does, so this file imports nothing.
//
// A table of data is kept once, however many marks draw it, by columns: {length, columns: {name: column}} with
//   column: the values, or {words, at} where few words come often: `at` their places in `words`.
// A spec has the number of its table in the place of `values`.

const LEAST_ROWS = 4;
const DIGITS = 6; // more than a plot can show; the files beside the page have all

/** The value with as many digits as a plot can show. */
function shortened(value) {
  if (typeof value !== 'number' || Number.isInteger(value) || !Number.isFinite(value)) return value;
  return Number(value.toPrecision(DIGITS));
}

function packColumn(values) {
  if (!values.every((value) => typeof value === 'string')) return values.map(shortened);
  const words = [...new Set(values)];
  if (2 * words.length > values.length) return values;
  const place = new Map(words.map((word, at) => [word, at]));
  return {words, at: values.map((value) => place.get(value))};
}

/** The table of rows; null of what would not become smaller, or of rows that differ in their fields. */
function packTable(rows) {
  const isRow = (row) => row !== null && typeof row === 'object' && !Array.isArray(row);
  if (rows.length < LEAST_ROWS || !rows.every(isRow)) return null;
  const names = Object.keys(rows[0]);
  const alike = rows.every((row) => {
    return Object.keys(row).length === names.length && names.every((name) => row[name] !== undefined);
  });
  if (!alike) return null;
  const columns = names.map((name) => [name, packColumn(rows.map((row) => row[name]))]);
  return {length: rows.length, columns: Object.fromEntries(columns)};
}

/** A copy of `node` in which `change(values)` stands for each array of data, where that is not null. */
function withData(node, change) {
  if (Array.isArray(node)) return node.map((item) => withData(item, change));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      const changed = key === 'data' && value?.values !== undefined ? change(value.values) : null;
      return [key, changed === null ? withData(value, change) : {...value, values: changed}];
    }),
  );
}

/** {tables, figures}: the figures (a plain object or list) with their data in tables. */
export function pack(figures) {
  const tables = [];
  const places = new Map(); // by the table's text: equal data is often made twice
  const packed = withData(figures, (rows) => {
    const table = packTable(rows);
    if (table === null) return null;
    const text = JSON.stringify(table);
    if (!places.has(text)) places.set(text, tables.push(table) - 1);
    return places.get(text);
  });
  return {tables, figures: packed};
}

function unpackTable({length, columns}) {
  const names = Object.keys(columns);
  const valueAt = ({words, at}, row) => words[at[row]];
  return Array.from({length}, (_, row) => {
    return Object.fromEntries(
      names.map((name) => {
        const column = columns[name];
        return [name, Array.isArray(column) ? column[row] : valueAt(column, row)];
      }),
    );
  });
}

/** The figures that pack() was given, with numbers of six digits. */
export function unpack({tables, figures}) {
  const whole = tables.map(unpackTable);
  return withData(figures, (values) => (typeof values === 'number' ? whole[values] : null));
}
