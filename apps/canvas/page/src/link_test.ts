import assert from 'node:assert/strict';
import {test} from 'node:test';
import {linkText, parseLink} from './link.js';

const parse = (hash: string): unknown => parseLink(hash, 100, 50);

test('a link is read back as it was written', () => {
  for (const place of [{x: 0, y: 0, zoom: 1}, {x: 99, y: 49, zoom: 64}, {x: 5, y: 6, zoom: 0.25}]) {
    assert.deepEqual(parse(linkText(place)), {place});
  }
  assert.equal(linkText({x: 1, y: 2, zoom: 3.14159}), '#1,2,3.14');
});

test('the zoom may be left out, and so may all of it', () => {
  assert.deepEqual(parse('#1,2'), {place: {x: 1, y: 2, zoom: 16}});
  assert.equal(parse(''), null);
  assert.equal(parse('#'), null);
});

test('a bad link names what is wrong and what is allowed', () => {
  const problem = (hash: string): string => (parse(hash) as {problem: string}).problem;
  assert.equal(problem('#100,2,3'), "The link's x, “100”, is not 0 to 99.");
  assert.equal(problem('#1,-2,3'), "The link's y, “-2”, is not 0 to 49.");
  assert.equal(problem('#1,2,65'), "The link's zoom, “65”, is not 0.01 to 64.");
  assert.equal(problem('#1,2,1e1'), "The link's zoom, “1e1”, is not 0.01 to 64.");
  assert.match(problem('#1.5,2,3'), /x, “1.5”/);
  assert.match(problem('#<script>alert(1)</script>,2'), /x, “<script>aler…”/);
  for (const hash of ['#1', '#1,2,3,4', '#here']) assert.match(problem(hash), /is not #x,y,zoom/);
});
