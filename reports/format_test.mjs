import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  bytes,
  count,
  csv,
  duration,
  escapeHtml,
  markdown,
  median,
  perSecond,
  percentile,
  range,
  recovery,
  significant,
} from './format.mjs';

test('numbers carry their unit and three digits', () => {
  assert.equal(perSecond(52340), '52.3 k/s');
  assert.equal(perSecond(1740000), '1.74 M/s');
  assert.equal(duration(950), '950 µs');
  assert.equal(duration(12345), '12.3 ms');
  assert.equal(duration(2500000), '2.5 s');
  assert.equal(bytes(3 * 2 ** 30), '3 GiB');
  assert.equal(count(1234567), '1,234,567');
  assert.equal(significant(0.012345), '0.0123');
});

test('what is missing is never shown as zero', () => {
  for (const show of [count, significant, perSecond, duration, bytes, percentile]) {
    assert.equal(show(null), '–');
    assert.equal(show(undefined), '–');
  }
  assert.equal(count(0), '0');
  assert.equal(recovery(null), 'never');
});

test('a percentile above the timeout says so', () => {
  assert.equal(percentile({us: 5000000, above: true}), '> 5 s');
  assert.equal(percentile({us: null, above: true}), 'above timeout');
});

test('medians and ranges leave out what is unknown', () => {
  assert.equal(median([]), null);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([1, Infinity, Infinity]), Infinity);
  assert.equal(range([2, null, 2]), '2');
  assert.equal(range([3, 2]), '2 – 3');
});

test('text is escaped for HTML and for CSV', () => {
  assert.equal(escapeHtml(`<a href="x">'&`), '&lt;a href=&quot;x&quot;&gt;&#39;&amp;');
  assert.equal(
    csv([
      {a: 'x,y', b: null},
      {a: 'say "x"', b: 0},
    ]),
    'a,b\n"x,y",\n"say ""x""",0\n',
  );
});

test('Markdown tables keep text from becoming markup, and say what they leave out', () => {
  const rows = Array.from({length: 203}, (_, at) => ({name: 'a|b_c', value: at / 3, none: null}));
  const lines = markdown(rows).split('\n');
  assert.deepEqual(lines.slice(0, 4), [
    '| name | value | none |',
    '| --- | ---: | ---: |',
    '| a\\|b\\_c | 0 |  |',
    '| a\\|b\\_c | 0.333333 |  |',
  ]);
  assert.match(markdown(rows), /\n3 further rows in the CSV beside this file\.\n$/);
  assert.equal(markdown([]), '');
});
