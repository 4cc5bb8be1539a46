import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Cooldown} from './cooldown.js';

test('without a cooldown nobody waits', () => {
  const cooldown = new Cooldown();
  cooldown.placed(1000);
  assert.equal(cooldown.isOn, false);
  assert.equal(cooldown.secondsLeft(1000), 0);
});

test('one waits from the last pixel, or as long as the node says', () => {
  const cooldown = new Cooldown();
  cooldown.set(5000);
  cooldown.placed(1000);
  assert.equal(cooldown.secondsLeft(1000), 5);
  assert.equal(cooldown.secondsLeft(5001), 1);
  assert.equal(cooldown.secondsLeft(6000), 0);
  cooldown.refused(3000, 7000);
  assert.equal(cooldown.secondsLeft(7000), 3);
  cooldown.refused(1000, 7000);
  assert.equal(cooldown.secondsLeft(7000), 3, 'the longer one counts');
});
