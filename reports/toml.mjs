// A sweep's spec as TOML, so that a reader can copy it from the page and run it again.

function value(v) {
  if (Array.isArray(v)) return `[${v.map(value).join(', ')}]`;
  return typeof v === 'object' ? JSON.stringify(JSON.stringify(v)) : JSON.stringify(v);
}

const key = (name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name));

/** Writes an object of scalars, lists and nested objects as TOML tables; nulls are left out. */
export function toToml(object, path = []) {
  const entries = Object.entries(object).filter(([, v]) => v !== null && v !== undefined);
  const isTable = (v) => typeof v === 'object' && !Array.isArray(v);
  const lines = entries.filter(([, v]) => !isTable(v)).map(([k, v]) => `${key(k)} = ${value(v)}`);
  const own = lines.length && path.length ? [`[${path.map(key).join('.')}]`, ...lines] : lines;
  const tables = entries.filter(([, v]) => isTable(v)).map(([k, v]) => toToml(v, [...path, k]));
  return [own.join('\n'), ...tables].filter(Boolean).join('\n');
}
