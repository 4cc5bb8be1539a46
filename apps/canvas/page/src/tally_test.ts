import assert from 'node:assert/strict';
import {test} from 'node:test';
import {differing, shownPart, Tally, type Cells} from './tally.js';

const WHITE = 0xffffff;
const RED = 0xff0000;
const BLUE = 0x0000ff;

function side(painted: Record<string, number> = {}): Cells {
  return {color: (x, y) => painted[`${x},${y}`] ?? WHITE};
}

test('the middle of a canvas is shown, or all of a small one', () => {
  assert.deepEqual(shownPart(1000, 1000), {left: 482, top: 488, width: 36, height: 24});
  assert.deepEqual(shownPart(10, 24), {left: 0, top: 0, width: 10, height: 24});
});

test('cells differ where the sides do, in the part that is shown', () => {
  const part = {left: 1, top: 1, width: 3, height: 2};
  assert.equal(differing(side({'1,1': RED}), side({'1,1': RED}), part), 0);
  assert.equal(differing(side({'1,1': RED, '3,2': BLUE}), side({'3,2': RED}), part), 2);
  assert.equal(differing(side({'0,0': RED, '4,1': RED}), side(), part), 0);
});

test('what is seen on one side is not painted over', () => {
  const tally = new Tally();
  tally.confirmed(1, 1, RED);
  tally.confirmed(1, 1, BLUE);
  assert.equal(tally.placed, 2);
  assert.equal(tally.paintedOver([side({'1,1': RED}), side({'1,1': BLUE})]), 0, 'each side shows one');
  assert.equal(tally.paintedOver([side({'1,1': BLUE}), side({'1,1': BLUE})]), 1, 'one was to give way');
  assert.equal(tally.paintedOver([side(), side()]), 2, 'neither is there');
});

test('what somebody else painted hides what was acknowledged', () => {
  const tally = new Tally();
  tally.confirmed(2, 2, RED);
  assert.equal(tally.paintedOver([side({'2,2': BLUE}), side({'2,2': BLUE})]), 1);
});

test('one colour painted twice is one pixel that is seen', () => {
  const tally = new Tally();
  tally.confirmed(2, 2, RED);
  tally.confirmed(2, 2, RED);
  assert.equal(tally.paintedOver([side({'2,2': RED}), side({'2,2': RED})]), 1);
});
