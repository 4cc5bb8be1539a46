// What a report says of a sweep of which all figures can be drawn, against the sweep's files.

import assert from 'node:assert/strict';
import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {before, test} from 'node:test';
import {duration, perSecond} from './format.mjs';
import {planRuns} from './testdata/fixture.mjs';
import {figureOf, fullRuns, plotOf, report, rowsOf, tableIn} from './testdata/reporting.mjs';

/** The text of a page's findings. */
const findingsOf = ({html}) => /id="findings">.*?<\/section>/s.exec(html)[0].replace(/<[^>]+>/g, '');

let full;
before(() => {
  full = report('full', fullRuns());
});

test('medians stand beside their intervals: in files, plots and tables', () => {
  const plot = plotOf(full, 'latency-throughput');
  const rates = [1, 2, 3].map((n) => full.written[`raft-3-r200000-${n}`].summary.latency_us.p99 / 1000);
  rates.sort((a, b) => a - b);
  const row = rowsOf(plot.medians).find((r) => {
    return r.series === 'raft · 3 nodes' && r.load === '200 k/s offered' && r.percentile === 'p99';
  });
  assert.deepEqual([row.latency_ms_low, row.latency_ms, row.latency_ms_high].map(Number), rates);
  assert.deepEqual([row.repetitions, row.latency_ms_n, row.latency_ms_interval], ['3', '3', 'range of 3']);
  assert.match(readFileSync(plot.md, 'utf8'), /\| range of 3 \|/);
  const table = tableIn(full.html, 'medians');
  const cells = rates.map((ms) => duration(ms * 1000));
  assert.ok(table.includes(`>${cells[1]} (${cells[0]} – ${cells[2]})<`), cells.join());
  for (const name of ['latency-throughput', 'cost-nodes', 'cost-per-operation']) {
    const layers = figureOf(full, name).panels[0].rows[0].spec.layer;
    const bar = layers.find(({mark, encoding}) => {
      return mark.type === 'rule' && (encoding.y2 ?? encoding.x2)?.field.endsWith('_high');
    });
    assert.ok(bar.data.values.length > 0, `${name} has error bars`);
  }
  for (const name of ['fault-timeline', 'both-sides', 'divergence', 'latency-distribution']) {
    const layers = figureOf(full, name).panels[0].rows.flatMap(({spec}) => spec.layer);
    const band = layers.find(({encoding}) => encoding.y2?.field?.endsWith('_high'));
    assert.ok(band.data.values.length > 0, `${name} has bands`);
  }
  const [queue] = rowsOf(plotOf(full, 'predicted').csv);
  assert.ok(Number(queue.measured_low) < Number(queue.measured), 'models stand beside intervals, too');
  assert.equal(queue.measured_interval, 'range of 3');
  assert.match(full.html, /whole range of the repetitions \(fewer than 6/);
});

test('no two things of the page have one name', () => {
  const ids = [...full.html.replace(/<script[\s\S]*?<\/script>/g, '').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(ids.filter((id, at) => ids.indexOf(id) !== at), []);
  assert.ok(ids.length > 50);
});

test('no repetition is dropped from the data or from the table', () => {
  const csv = readFileSync(join(full.out, 'plots/latency-throughput.csv'), 'utf8');
  const steady = Object.keys(full.written).filter((name) => !/kill|split/.test(name));
  for (const name of steady) {
    assert.equal(csv.split('\n').filter((line) => line.endsWith(`/${name}`)).length, 2, name);
  }
  const rows = tableIn(full.html, 'runs').match(/<tr>/g).length - 1;
  assert.equal(rows, Object.keys(full.written).length);
});

test('the table shows the figures of the result files', () => {
  const table = tableIn(full.html, 'runs');
  for (const [name, {summary}] of Object.entries(full.written)) {
    const row = table.split('<tr>').find((text) => text.includes(`>full/${name}<`));
    assert.ok(row, name);
    for (const text of [
      perSecond(summary.achieved_ops_per_s),
      duration(summary.latency_us.p50),
      duration(summary.latency_us.p99),
      summary.completed.toLocaleString('en-US'),
      summary.unsent.toLocaleString('en-US'),
    ]) {
      assert.ok(row.includes(`>${text}<`), `${name}: ${text}`);
    }
  }
});

test('the tables show what a run and each of its nodes cost in detail', () => {
  const runs = tableIn(full.html, 'runs');
  const row = runs.split('<tr>').find((text) => text.includes('>full/raft-3-r10000-1<'));
  for (const text of ['0.731', '0.00731', '54.3', '4.53']) {
    assert.ok(row.includes(`<td class="n">${text}</td>`), text);
  }
  const nodes = tableIn(full.html, 'nodes');
  const cell = (text) => nodes.split(`<td class="n">${text}</td>`).length - 1;
  const told = Object.values(full.written).filter(({summary}) => summary.cost_by_node);
  assert.equal(cell('7.11'), told.length, 'the first node of each');
  assert.equal(cell('11.1'), told.filter(({manifest}) => manifest.nodes === 5).length);
});

test('the killed leader costs what faults.csv and timeline.csv say', () => {
  const table = tableIn(full.html, 'faults');
  for (const name of ['raft-3-kill-1', 'raft-3-kill-2', 'raft-3-kill-3']) {
    const {summary} = full.written[name];
    const [{noticed_ms: noticed, first_success_ms: first, back_to_95_ms: back, unavailable_ms: none}] =
      summary.recovery;
    const cells = [noticed, first, back, none]
      .map((ms) => `<td class="n">${ms === undefined ? '–' : `${ms} ms`}</td>`)
      .join('');
    const pixels = [summary.refused, summary.unknown, summary.unsent]
      .map((n) => `<td class="n">${n.toLocaleString('en-US')}</td>`)
      .join('');
    assert.ok(table.includes(cells + pixels), `${name}: ${cells}${pixels}`);
    assert.ok(full.html.includes(`${noticed} · ${first} · ${back} ms`), 'annotated in the plot');
  }
});

test('the recovery of each strategy stands in bars, beside the pixels it cost', () => {
  const kills = [1, 2, 3].map((n) => full.written[`raft-3-kill-${n}`].summary);
  const ordered = (pick) => kills.map(pick).sort((a, b) => a - b);
  const {panels} = figureOf(full, 'recovery');
  const bars = (title) => {
    const panel = panels.find((p) => p.title === title);
    return panel.rows[0].spec.layer[0].data.values.filter((bar) => bar.series.startsWith('raft'));
  };
  const shown = bars('kill-leader: recovery').map((bar) => [bar.value_low, bar.value, bar.value_high]);
  assert.deepEqual(
    shown,
    ['noticed_ms', 'first_success_ms', 'back_to_95_ms'].map((name) => ordered((s) => s.recovery[0][name])),
  );
  const unsent = bars('kill-leader: pixels').find((bar) => bar.kind === 'unsent');
  assert.equal(unsent.value, ordered((s) => s.unsent)[1]);
  assert.ok(!bars('kill-leader: pixels').some((bar) => bar.kind === 'lost'), 'none was');
  // Clients were served, and no change of leader was noticed: there was none.
  const [first] = bars('partition-leader: recovery');
  assert.deepEqual([first.kind, first.label], ['first success', '3']);
  const gossip = panels.find((p) => p.title === 'partition-leader: pixels').rows[0].spec.layer[0];
  assert.deepEqual(
    gossip.data.values.map((bar) => [bar.series, bar.kind, bar.value]),
    [['gossip_lww · 3 nodes', 'superseded', 77]],
  );
  const plot = plotOf(full, 'recovery');
  const row = rowsOf(plot.medians).find((r) => r.fault === 'kill-leader');
  assert.equal(Number(row.back_to_95_ms), ordered((s) => s.recovery[0].back_to_95_ms)[1]);
  const table = tableIn(full.html, 'recoveries');
  const [low, middle, high] = ordered((s) => s.recovery[0].noticed_ms);
  assert.ok(table.includes(`>${middle} ms (${low} ms – ${high} ms)<`), table);
});

test('what followed a fault stands above what followed it in the simulator', () => {
  assert.match(full.html, /who leads: live, and the same faults simulated/);
  const {panels} = figureOf(full, 'fault-timeline');
  const panel = panels.find(({title}) => title.endsWith('kill-leader'));
  const layers = panel.rows[1].spec.layer.map((layer) => layer.data.values);
  const [bands, successes, , , labels] = layers;
  assert.deepEqual(
    labels.map((line) => line.text),
    ['rep 1', 'rep 2', 'rep 3', 'simulated rep 1', 'simulated rep 2', 'simulated rep 3'],
  );
  const [old, other] = bands.filter((band) => band.row === 0);
  const {noticed_ms: noticed} = full.written['raft-3-kill-1'].summary.recovery[0];
  assert.deepEqual([old.another, old.until], [false, noticed - 10]);
  assert.deepEqual(
    [other.another, other.from, other.text],
    [true, noticed, 'node 2 leads, epoch 4'],
  );
  const {first_success_ms: first} = full.written['raft-3-kill-1'].summary.recovery[0];
  assert.equal(successes[0].text, `first success after ${first} ms`);
  const findings = findingsOf(full);
  const story = 'yes: kill-leader: leader lost, another leads, success (3 runs).';
  const sentence = `raft · 3 nodes, kill-leader: same order of events as simulated: ${story}`;
  assert.ok(findings.includes(sentence), sentence);
});

/** The values of every layer of the row of that title, in the panel of that series. */
function layersOf(figure, series, row) {
  const panel = figure.panels.find(({title}) => title.startsWith(series));
  const found = panel.rows.find(({title}) => title.startsWith(row));
  return found && found.spec.layer.map((layer) => layer.data.values);
}

test('gossip serves both sides of a partition, an order one', () => {
  const figure = figureOf(full, 'both-sides');
  const during = (series, side) => {
    const [, middle] = layersOf(figure, series, side);
    const rows = middle.filter((row) => row.t_ms >= 100 && row.t_ms < 2400);
    assert.ok(rows.length > 20);
    return rows.map((row) => [row.placed_per_s, row.refused_per_s]);
  };
  assert.ok(during('gossip_lww', 'cut off: node 1').every((row) => `${row}` === '270,0'));
  assert.ok(during('gossip_lww', 'the others: nodes 2 3').every((row) => `${row}` === '530,0'));
  assert.ok(during('raft', 'cut off: node 1').every((row) => `${row}` === '0,400'));
  assert.ok(during('raft', 'the others: nodes 2 3').every((row) => `${row}` === '530,0'));
});

test('what merges diverges, what has an order lags, until some time after the healing', () => {
  const figure = figureOf(full, 'divergence');
  const [[band], interval, , middle, , marks] = layersOf(figure, 'gossip_lww', 'divergent cells');
  assert.equal(band.until, 2500);
  assert.ok(interval.every((row) => row.most_low === row.most_high), 'the repetitions are alike');
  assert.equal(Math.max(...middle.map((row) => row.most)), 2450);
  assert.equal(marks.length, 3);
  assert.deepEqual([marks[0].t, marks[0].text], [2620, 'agreed 120 ms after the healing']);
  assert.equal(layersOf(figure, 'gossip_lww', 'lag'), undefined);
  const lag = layersOf(figure, 'raft · 3 nodes, partition', 'lag')[3];
  assert.equal(Math.max(...lag.map((row) => row.most)), 4900);
  assert.equal(layersOf(figure, 'raft · 3 nodes, partition', 'divergent'), undefined);
});

test('staleness is drawn as measured, beside what the model predicts', () => {
  const [seen, ms, versions] = figureOf(full, 'staleness').panels;
  const [predicted, , measured] = seen.rows[0].spec.layer.map((layer) => layer.data.values);
  const gossip = (values) => values.filter((row) => row.series.startsWith('gossip'));
  assert.deepEqual(
    gossip(measured).map((row) => [row.reads, row.share]),
    [
      [30, 0.4],
      [1500, 0.8],
      [3000, 0.95],
    ],
    'three repetitions together; the axis ends soon after the last bin that is not all seen',
  );
  assert.ok(gossip(predicted).some((row) => row.predicted === 0.82));
  const curve = (panel) => {
    return gossip(panel.rows[0].spec.layer[0].data.values).map((row) => [row.x, row.share]);
  };
  assert.deepEqual(curve(ms), [
    [0.1, 0.075],
    [10, 0.01],
    [2512, 0.01],
  ]);
  assert.deepEqual(curve(versions), [
    [1, 0.075],
    [2, 0.075],
    [9, 0.005],
  ]);
});

test('what each strategy did to data stands side by side', () => {
  const table = tableIn(full.html, 'consistency');
  const row = table.split('<tr>').find((text) => text.includes('gossip_lww · 3 nodes'));
  for (const text of ['231', '15', '2,400', '7.5 %, at most 2.4 s and 9 versions', '120 ms']) {
    assert.ok(row.includes(`<td class="n">${text}</td>`), text);
  }
  const raft = table.split('<tr>').find((text) => text.includes('raft · 3 nodes'));
  assert.ok(raft.includes('2.5 %, at most 2.4 s and 9 versions'));
});

test('captions state cost, conditions and the manifest allows a repetition', () => {
  assert.match(full.html, /share 2 cores: this is cost, not scalability/);
  assert.match(full.html, /10 s measured after 2 s of warm-up/);
  assert.match(full.html, /Synthetic CPU, 2 cores, 8\.0 GiB/);
  assert.match(full.html, /parley sweep full\.toml/);
  assert.match(full.html, /election_timeout_min_ms = 150/);
  assert.equal(full.html.match(/<details class="run"/g).length, Object.keys(full.written).length);
});

test('findings are written from the data', () => {
  const findings = findingsOf(full);
  assert.match(findings, /raft · 3 nodes carried 200 k\/s, all that was offered/);
  assert.match(findings, /raft from 3 to 5 nodes at 200 k\/s offered/);
  assert.match(findings, /raft · 3 nodes, kill-leader: noticed after \d+ – \d+ ms/);
  assert.match(findings, /[\d,]+ superseded/);
});

test('the sides of a partition are told by the rows that lie wholly within it', () => {
  const findings = findingsOf(full);
  const sides = (hit) => {
    return `partition-leader: of the placements per second before it, ${hit} at the side that was cut off, 100 % at the others.`;
  };
  assert.ok(findings.includes(`gossip_lww · 3 nodes, ${sides('100 %')}`));
  assert.ok(findings.includes(`raft · 3 nodes, ${sides('0 %')}`), 'what waited for the healing is no service');
});

test('where the time of a recovery went is told from the events, and of how many faults', () => {
  const kills = (result) => [1, 2, 3].map((n) => result.written[`raft-3-kill-${n}`].summary.recovery[0]);
  const told = (faults) => {
    const spread = (values) => {
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return least === most ? `${least} ms` : `${least} – ${most} ms`;
    };
    return (
      `of the time to the first success ${spread(faults.map((f) => f.noticed_ms - 10))} passed until the silence ` +
      `was noticed, 10 ms until another leader was elected, and ` +
      `${spread(faults.map((f) => f.first_success_ms - f.noticed_ms))} until it had caught up and answered`
    );
  };
  assert.ok(findingsOf(full).includes(`${told(kills(full))}.`));
  const partly = report('partly', planRuns({nodes: {}, kills: {raft: [3]}}), (dir) => {
    rmSync(join(dir, 'raft-3-kill-2/events.csv'));
  });
  const [first, , third] = kills(partly);
  assert.ok(findingsOf(partly).includes(`${told([first, third])} (seen at 2 of 3 faults).`));
});

test('what strategies did to data is told by setting', () => {
  const runs = ['loopback', 'five-regions'].flatMap((links, at) => {
    return planRuns({nodes: {}, kills: {}, splits: {gossip_lww: [3]}}).map((run) => ({
      ...run,
      name: `${links}-${run.name}`,
      manifest: {links},
      summary: {consistency: {verdict: 'pass', lost: 7 * at, reads: 10, stale_reads: at, stale_ms_max: 40}},
    }));
  });
  const result = report('settings', runs);
  const table = tableIn(result.html, 'consistency').split('<tr>');
  const row = (links) => table.find((text) => text.includes(links));
  assert.ok(row('five-regions').includes('<td class="n">21</td>'), 'three repetitions together');
  assert.ok(!row('loopback').includes('<td class="n">21</td>'), 'other links are not these');
  const findings = findingsOf(result);
  assert.ok(findings.includes('none of 30 local reads was stale; 0 lost'));
  assert.ok(findings.includes('10 % of 30 local reads were stale, by 40 ms at most; 21 lost'));
});
