import assert from 'node:assert/strict';
import {test} from 'node:test';
import {MAX_SCALE, View} from './view.js';

function viewOf(width: number, height: number): View {
  const view = new View();
  view.setArea({left: 10, top: 50, width: 400, height: 300});
  view.setCanvas(width, height);
  return view;
}

const near = (actual: number, expected: number): void => {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is ${expected}`);
};

test('a canvas is shown whole at first, and stays so when the window changes', () => {
  const view = viewOf(100, 100);
  near(view.scale, 3);
  assert.deepEqual(view.cellAt(view.left, view.top), {x: 0, y: 0});
  near(view.left + 50 * view.scale, 210);
  view.setArea({left: 0, top: 0, width: 200, height: 200});
  near(view.scale, 2);
});

test('zooming keeps what is under the hand where it is', () => {
  const view = viewOf(100, 100);
  const before = view.pointAt(200, 120);
  view.zoomAt(200, 120, 11);
  near(view.scale, 11);
  near(view.pointAt(200, 120).x, before.x);
  near(view.pointAt(200, 120).y, before.y);
  view.zoomAt(200, 120, 1000);
  assert.equal(view.scale, MAX_SCALE);
});

test('the canvas cannot be lost', () => {
  const view = viewOf(100, 100);
  view.pan(1e6, -1e6);
  assert.ok(view.left < 410 && view.top + 300 > 50);
  view.zoomAt(0, 0, 1e-9);
  assert.ok(view.scale >= 1);
});

test('the middle stays in the middle when the window changes', () => {
  const view = viewOf(1000, 1000);
  view.show({x: 300.5, y: 700.5}, 20);
  view.setArea({left: 0, top: 0, width: 150, height: 700});
  near(view.middle().x, 300.5);
  near(view.middle().y, 700.5);
  near(view.scale, 20);
});

test('a cell is revealed by the least move', () => {
  const view = viewOf(1000, 1000);
  view.show({x: 500, y: 500}, 20);
  const {left, top} = view;
  view.reveal({x: 500, y: 500});
  assert.deepEqual([view.left, view.top], [left, top]);
  view.reveal({x: 520, y: 500});
  assert.ok(view.left < left && view.top === top);
  const x = view.left + 520.5 * view.scale;
  assert.ok(x > 10 && x < 410);
});
