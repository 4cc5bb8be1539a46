import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {colorName, colorText, DigitPicker, PALETTE, parseColor} from './palette.js';

test('the palette holds the 32 colours of the event', () => {
  assert.equal(new Set(PALETTE.map(({color}) => color)).size, 32);
  assert.equal(new Set(PALETTE.map(({name}) => name)).size, 32);
  const table = readFileSync('../../../harness/load/rplace_event.cc', 'utf8');
  const shares = [...table.matchAll(/\{(0x[0-9A-F]{6}),/g)].map((match) => Number(match[1]));
  assert.ok(shares.length >= 30, 'the table of shares was found');
  for (const color of shares) assert.ok(PALETTE.some((one) => one.color === color), colorText(color));
});

test('colours are read and written', () => {
  assert.equal(colorText(0x0a0b0c), '#0A0B0C');
  assert.equal(parseColor('#ff4500'), 0xff4500);
  for (const bad of ['', 'ff4500', '#ff450', '#ff45000', '#gg4500', 'red']) assert.equal(parseColor(bad), null);
  assert.equal(colorName(0xff4500), 'red');
  assert.equal(colorName(0x123456), '#123456');
});

test('two digits that follow soon are one number', () => {
  const picker = new DigitPicker(500);
  assert.equal(picker.press(1, 0), 0);
  assert.equal(picker.press(7, 400), 16);
  assert.equal(picker.press(3, 800), 2, 'the number before is complete');
  assert.equal(picker.press(2, 1200), 31);
  assert.equal(picker.press(3, 2000), 2);
  assert.equal(picker.press(3, 2400), 2, 'there is no 33rd colour');
  assert.equal(picker.press(1, 9000), 0, 'too late to go with the 3');
  assert.equal(picker.press(0, 9100), 9);
  assert.equal(picker.press(0, 9200), null);
});
