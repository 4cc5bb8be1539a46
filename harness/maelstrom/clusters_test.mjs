// Clusters of real processes as Maelstrom runs them: this script starts the nodes, routes their lines, loses what is
// cut, and is the clients. The environment names the program: PARLEY_PROGRAM=build/release/parley node --test FILE
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const program = process.env.PARLEY_PROGRAM
assert.ok(program, 'PARLEY_PROGRAM must name the program')

const kPatienceMs = 20_000

class Cluster {
  constructor(algorithm, count, flags = []) {
    this.names = Array.from({ length: count }, (_, i) => `n${i}`)
    this.waiting = new Map()
    this.lastId = 0
    this.cutOff = new Set()
    this.nodes = new Map(this.names.map((name) => [name, this.start(name, algorithm, flags)]))
  }

  start(name, algorithm, flags) {
    const child = spawn(program, ['maelstrom', '--algorithm', algorithm, ...flags], { stdio: ['pipe', 'pipe', 'pipe'] })
    const node = { child, log: '', ended: new Promise((resolve) => child.on('close', resolve)) }
    child.stderr.on('data', (bytes) => (node.log += bytes))
    child.stdin.on('error', () => {}) // it has ended, which the end of the test tells
    createInterface({ input: child.stdout }).on('line', (line) => this.route(name, line))
    return node
  }

  // Everything that a node says must be a message in its own name.
  route(name, line) {
    const { src, dest, body } = JSON.parse(line)
    assert.equal(src, name)
    const client = this.waiting.get(body.in_reply_to)
    if (dest.startsWith('c')) {
      assert.ok(client, `one answer to a request: ${line}`)
      this.waiting.delete(body.in_reply_to)
      return client(body)
    }
    if (!this.cutOff.has(src) && !this.cutOff.has(dest)) this.line(dest, line)
  }

  line(name, text) {
    this.nodes.get(name).child.stdin.write(text + '\n')
  }

  call(dest, body, src = 'c1') {
    const msg_id = ++this.lastId
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(body)}`)), kPatienceMs)
      this.waiting.set(msg_id, (answer) => (clearTimeout(late), resolve(answer)))
      this.line(dest, JSON.stringify({ src, dest, body: { ...body, msg_id } }))
    })
  }

  async init() {
    for (const name of this.names) {
      assert.equal((await this.call(name, { type: 'init', node_id: name, node_ids: this.names })).type, 'init_ok')
    }
  }

  // Asks again until the answer is of this type.
  async until(type, dest, body) {
    for (const end = Date.now() + kPatienceMs; ; await sleep(50)) {
      const answer = await this.call(dest, body)
      if (answer.type === type) return answer
      assert.ok([0, 11].includes(answer.code) && Date.now() < end, `${dest} to ${JSON.stringify(body)}: ${JSON.stringify(answer)}`)
    }
  }

  // Asks again while it is told that nothing was done, as in an election; a read also while nobody answered.
  async settled(dest, body) {
    for (const end = Date.now() + kPatienceMs; ; await sleep(50)) {
      const answer = await this.call(dest, body)
      const again = answer.code === 11 || (body.type === 'read' && answer.code === 0)
      if (!again || Date.now() >= end) return answer
    }
  }

  // The end of its input ends a node, with status 0.
  async stop() {
    for (const { child } of this.nodes.values()) child.stdin.end()
    for (const [name, node] of this.nodes) {
      const status = await Promise.race([node.ended, sleep(kPatienceMs, 'still there', { ref: false })])
      assert.equal(status, 0, `${name} ends: ${node.log}`)
    }
  }

  kill() {
    for (const { child } of this.nodes.values()) child.kill('SIGKILL')
  }
}

async function withCluster(algorithm, count, use, flags) {
  const cluster = new Cluster(algorithm, count, flags)
  try {
    await cluster.init()
    await use(cluster)
    await cluster.stop()
  } finally {
    cluster.kill()
  }
}

const write = (key, value) => ({ type: 'write', key, value })
const read = (key) => ({ type: 'read', key })
const cas = (key, from, to) => ({ type: 'cas', key, from, to })

for (const algorithm of ['raft', 'bully_2pc']) {
  test(`lin-kv on ${algorithm}`, async () => {
    await withCluster(algorithm, 3, async (cluster) => {
      assert.equal((await cluster.until('write_ok', 'n0', write(1, 5))).code, undefined)
      assert.equal((await cluster.settled('n1', read(1))).value, 5)
      assert.equal((await cluster.settled('n2', read(2))).code, 20)
      assert.equal((await cluster.settled('n2', cas(2, 1, 2))).code, 20)
      assert.equal((await cluster.settled('n1', cas(1, 6, 7))).code, 22)
      assert.equal((await cluster.settled('n2', cas(1, 5, 7))).type, 'cas_ok')
      assert.equal((await cluster.settled('n0', read(1))).value, 7)
      const created = await cluster.settled('n0', { ...cas('new', 0, [1]), create_if_not_exists: true })
      assert.equal(created.type, 'cas_ok')
      assert.deepEqual((await cluster.settled('n2', read('new'))).value, [1])
      assert.equal((await cluster.settled('n0', { type: 'write', key: 1 })).code, 12)
      assert.equal((await cluster.settled('n0', { key: 1 })).code, 12)
      assert.equal((await cluster.settled('n0', { type: 'txn', txn: [] })).code, 10)
    })
  })

  // Each node is cut off once, and so is whoever leads.
  test(`no stale read of a node of ${algorithm} that is cut off`, async () => {
    await withCluster(algorithm, 3, async (cluster) => {
      let value = 0
      for (const name of cluster.names) {
        const other = cluster.names.find((one) => one !== name)
        await cluster.until('write_ok', name, write(1, ++value))
        cluster.cutOff.add(name)
        await cluster.until('write_ok', other, write(1, ++value))
        const refused = await cluster.call(name, read(1))
        assert.equal(refused.type, 'error', `${name} is cut off: ${JSON.stringify(refused)}`)
        cluster.cutOff.clear()
        assert.equal((await cluster.until('read_ok', name, read(1))).value, value)
      }
    })
  })

  test(`what concurrent clients see of ${algorithm}, with a node cut off in between, is linearizable`, async () => {
    const history = []
    const added = { ok: 0, open: 0 }
    await withCluster(algorithm, 3, async (cluster) => {
      await cluster.until('write_ok', 'n0', write('counter', 0))
      const clients = Array.from({ length: 6 }, (_, i) => client(cluster, i + 1, history))
      clients.push(counter(cluster, 'c101', added), counter(cluster, 'c102', added))
      await sleep(500)
      cluster.cutOff.add('n2') // the highest id: the coordinator of bully_2pc
      await sleep(2000)
      cluster.cutOff.clear()
      await Promise.all(clients)
      const { value } = await cluster.until('read_ok', 'n0', read('counter'))
      assert.ok(value >= added.ok && value <= added.ok + added.open, `${value} of ${JSON.stringify(added)}`)
      assert.ok(added.ok > 0)
    })
    const folder = await mkdtemp(join(tmpdir(), 'parley-maelstrom.'))
    try {
      const file = join(folder, 'history.jsonl')
      await writeFile(file, history.map((operation) => JSON.stringify(operation) + '\n').join(''))
      const { stdout } = await promisify(execFile)(program, ['check-history', '--json', file])
      const { verdict, operations } = JSON.parse(stdout)
      assert.equal(verdict, 'pass', stdout)
      assert.equal(operations.total, history.length)
      assert.ok(history.filter(({ outcome }) => outcome === 'ok').length > 100, 'enough was done')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
}

const kClientMs = 4000

// Writes and reads three keys at any node, and records it as a history of cells whose colours are the values.
async function client(cluster, number, history) {
  let seq = 0
  for (const end = Date.now() + kClientMs; Date.now() < end; await sleep(Math.random() * 20)) {
    const x = Math.floor(Math.random() * 3)
    const dest = cluster.names[Math.floor(Math.random() * 3)]
    const value = '#' + (number * 0x10000 + ++seq).toString(16).padStart(6, '0').toUpperCase()
    const writes = Math.random() < 0.5
    const invoke_ns = Number(process.hrtime.bigint())
    const answer = await cluster.call(dest, writes ? write(x, value) : read(x), `c${number}`)
    const return_ns = Number(process.hrtime.bigint())
    const operation = { client: number, seq, op: writes ? 'place' : 'read', x, y: 0, invoke_ns, return_ns }
    if (writes) Object.assign(operation, { color: value, outcome: outcome(answer) })
    else if (answer.code === 20) Object.assign(operation, { color: null, outcome: 'ok', read_mode: 'linearizable' })
    else if (answer.type === 'read_ok') Object.assign(operation, { color: answer.value, outcome: 'ok', read_mode: 'linearizable' })
    else continue // a read that fails says nothing
    history.push(operation)
  }
}

const outcome = ({ type, code }) => (type !== 'error' ? 'ok' : code === 0 ? 'unknown' : 'refused')

// Adds one, again and again, by compare-and-set.
async function counter(cluster, name, added) {
  for (const end = Date.now() + kClientMs; Date.now() < end; await sleep(10)) {
    const dest = cluster.names[Math.floor(Math.random() * 3)]
    const { value } = await cluster.call(dest, read('counter'), name)
    if (value === undefined) continue
    const answer = await cluster.call(dest, cas('counter', value, value + 1), name)
    if (answer.type === 'cas_ok') ++added.ok
    else if (answer.code === 0) ++added.open
    else assert.ok([11, 22].includes(answer.code), JSON.stringify(answer))
  }
}

// Until everyone says the same.
async function agree(cluster, field, expected) {
  for (const end = Date.now() + kPatienceMs; ; await sleep(100)) {
    const answers = await Promise.all(cluster.names.map((name) => cluster.call(name, { type: 'read' })))
    const seen = answers.map((answer) => JSON.stringify(sorted(answer[field])))
    if (seen.every((one) => one === JSON.stringify(sorted(expected)))) return
    assert.ok(Date.now() < end, `${seen} instead of ${expected}`)
  }
}
const sorted = (values) => [...(values ?? [])].sort()

// What every node received another one had sent, and each file is whole from the start to the stop.
test('--trace-out tells what the nodes of raft did', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-maelstrom.'))
  try {
    const traces = join(folder, 'traces')
    const use = (cluster) => cluster.until('write_ok', 'n0', write(1, 5))
    await withCluster('raft', 3, use, ['--trace-out', traces])
    const files = [1, 2, 3].map(async (node) => (await readFile(join(traces, `${node}.jsonl`), 'utf8')).trim().split('\n'))
    const nodes = (await Promise.all(files)).map((lines) => lines.map((line) => JSON.parse(line)))
    const sent = new Set()
    for (const line of nodes.flat()) if (line.event === 'send') sent.add(`${line.node} ${line.to} ${line.id}`)
    for (const [i, lines] of nodes.entries()) {
      assert.equal(lines[0].event, 'start')
      assert.equal(lines.at(-1).event, 'stop')
      assert.deepEqual(lines.map(({ node }) => node), lines.map(() => i + 1))
      assert.deepEqual(lines.map(({ seq }) => seq), lines.map((_, j) => j + 1))
      const received = lines.filter(({ event }) => event === 'receive')
      assert.ok(received.length > 0)
      for (const line of received) assert.ok(sent.has(`${line.from} ${line.node} ${line.id}`), JSON.stringify(line))
    }
    assert.ok(nodes.flat().some(({ event, role }) => event === 'state' && role === 'leader'))
    const file = join(folder, 'file')
    await writeFile(file, '')
    const wrong = promisify(execFile)(program, ['maelstrom', '--trace-out', join(file, 'traces')])
    await assert.rejects(wrong, ({ code, stderr }) => code === 2 && /trace-out: .* cannot be written to/.test(stderr))
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('broadcast on gossip_lww, with a node cut off in between', async () => {
  await withCluster('gossip_lww', 5, async (cluster) => {
    for (const name of cluster.names) {
      assert.equal((await cluster.call(name, { type: 'topology', topology: { n0: ['n1'] } })).type, 'topology_ok')
    }
    const sent = []
    const broadcast = async (name) => {
      sent.push(100 + sent.length)
      await cluster.until('broadcast_ok', name, { type: 'broadcast', message: sent.at(-1) })
    }
    for (const name of cluster.names) await broadcast(name)
    await agree(cluster, 'messages', sent)
    cluster.cutOff.add('n0')
    for (const name of cluster.names) await broadcast(name)
    const alone = await cluster.call('n0', { type: 'read' })
    assert.ok(alone.messages.includes(sent[5]), 'a node that is alone serves')
    assert.ok(!alone.messages.includes(sent[6]), 'it is cut off')
    cluster.cutOff.clear()
    await agree(cluster, 'messages', sent)
    assert.equal((await cluster.call('n0', read(1))).code, 10)
    assert.match((await cluster.call('n0', write(1, 2))).text, /lin-kv needs linearizable writes and reads/)
  })
})

for (const algorithm of ['gossip_lww', 'raft', 'bully_2pc']) {
  test(`g-set on ${algorithm}`, async () => {
    await withCluster(algorithm, 3, async (cluster) => {
      const elements = [1, 2, 'a longer text that takes some cells', 2]
      for (const [i, element] of elements.entries()) {
        await cluster.until('add_ok', cluster.names[i % 3], { type: 'add', element })
      }
      await agree(cluster, 'value', [...new Set(elements)])
      assert.equal((await cluster.call('n0', { type: 'add', delta: 1 })).code, 10)
    })
  })
}

test('a node withstands what is no message', async () => {
  await withCluster('unreplicated', 1, async (cluster) => {
    for (const line of ['', 'no json', '[]', '{"src":"c1"}', '{"body":{"type":"parley"}}', '['.repeat(1_000_000)]) {
      cluster.line('n0', line)
    }
    cluster.line('n0', `{"src":"c1","dest":"n0","body":{"type":"${'x'.repeat(9_000_000)}","msg_id":1}}`)
    cluster.line('n0', '{"src":"n7","dest":"n0","body":{"type":"parley","head":"AAAA","body":"?"}}')
    assert.equal((await cluster.call('n0', write(1, 2))).type, 'write_ok')
    assert.equal((await cluster.call('n0', read(1))).value, 2)
    cluster.nodes.get('n0').child.stdin.end()
    await cluster.nodes.get('n0').ended
    assert.match(cluster.nodes.get('n0').log, /dropped: 6 lines that were no messages, 1 that were too long, 1 frames,/)
  })
})

test('what the command line gets wrong is said before anything is read', async () => {
  const refused = async (...options) => {
    const run = promisify(execFile)(program, ['maelstrom', ...options])
    const error = await run.then(() => assert.fail('it runs'), (failure) => failure)
    return `${error.code} ${error.stderr}`
  }
  assert.match(await refused('--algorithm', 'paxos'), /^2 parley: algorithm: "paxos" is not one of .*raft/)
  assert.match(await refused('--option', 'speed'), /^2 parley: option: "speed" is not NAME=VALUE/)
  assert.match(await refused('--option', 'reads=never'), /^2 parley: .*reads/)
})
