// The connection drops while others paint: nothing is missed, and the picture is not sent again.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {differences, live, openPage, savedPicture} from './browser.js';
import {canvasOf, Cluster, eventually, paint} from './cluster.js';
import {Proxy} from './proxy.js';

let cluster: Cluster;
let proxy: Proxy;
before(async () => {
  cluster = await Cluster.start('--nodes', '1', '--size', '64x64');
  proxy = await Proxy.to(cluster.members[0]!.page);
});
after(async () => {
  proxy.close();
  await cluster.stop();
});

/** A counter of the node. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${cluster.members[0]!.page}metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(name));
  assert.ok(line, `${name} is counted`);
  return Number(line.split(' ').at(-1));
}

test('a page that comes back is told what it missed', async () => {
  const node = cluster.members[0]!;
  await paint(node, 1, 1, '#BE0039');
  const page = await openPage(proxy.page);
  await eventually('it shows what is there', async () => (await savedPicture(page)).at(1, 1) === '#BE0039');
  const resumed = await metric('parley_viewers_resumed_total');
  const pictures = await metric('parley_pictures_sent_total');

  for (let round = 1; round <= 3; ++round) {
    const bannerCame = page.locator('#banner').waitFor({state: 'visible'});
    proxy.cut();
    await bannerCame;
    for (let x = 0; x < 20; ++x) await paint(node, x, 10 * round, x % 2 === 0 ? '#00756F' : '#811E9F');
    await paint(node, 1, 1, ['#2450A4', '#FFA800', '#6D482F'][round - 1]!);
    proxy.restore();
    await live(page);
    await eventually('the page shows what GET /canvas says', async () =>
      differences(await savedPicture(page), await canvasOf(node)).length === 0);
  }
  assert.ok((await metric('parley_viewers_resumed_total')) >= resumed + 3, 'it was told what it missed');
  assert.equal(await metric('parley_pictures_sent_total'), pictures, 'and never sent the whole again');
});
