import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { startRedis } from '@respite/testing'
import { type Lease, ScriptsModel } from './scripts-model.ts'

const source = (name: string) => readFileSync(new URL(`../../lua/${name}.lua`, import.meta.url), 'utf8')
const scripts = Object.fromEntries(['read', 'fill', 'kill', 'activate', 'save', 'touch', 'rotate', 'bury', 'keep', 'unsaved', 'settle'].map(name => [name, source(name)])) as Record<string, string>
const hashes = ['a', 'b', 'c', 'd']
const hourMs = 3_600_000
const gateKey = 'respite:v1:session:{tag}:u'
const copyKey = (hash: string) => `respite:v1:session:{tag}:s:${hash}`

/** A small generator, so that a seed tells the whole run. */
function dice (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

async function server (t: Test): Promise<Redis> {
  const redis = await startRedis()
  const client = new Redis(redis.port, '127.0.0.1')
  t.teardown(async () => { client.disconnect(); await redis.stop() })
  return client
}

const run = (client: Redis, name: string, keys: string[], ...args: (string | number)[]) => client.eval(scripts[name]!, keys.length, ...keys, ...args)

/** HIT's fields as the model has them. */
function readable (reply: unknown[]): unknown[] {
  if (reply[0] !== 'HIT') return reply
  const flat = reply[4] as string[]
  const fields: Record<string, string> = {}
  let v = 0
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] === 'v') v = Number(flat[i + 1])
    else if (flat[i] !== 'n') fields[flat[i]!] = flat[i + 1]!
  }
  return [...reply.slice(0, 3), v, fields]
}

/** One random operation on both: what the model says and what the server says. */
class Duel {
  readonly model = new ScriptsModel()
  #era = 1
  #lease: Lease = { n: 'none', g: 0 }
  #nonce = 0
  readonly #client: Redis
  readonly #roll: (below: number) => number

  constructor (client: Redis, roll: (below: number) => number) {
    this.#client = client
    this.#roll = roll
  }

  async step (): Promise<{ name: string, wanted: unknown, got: unknown }> {
    const roll = this.#roll
    const { gate, copies } = this.model.redis
    const hash = hashes[roll(4)]!
    const other = hashes[(hashes.indexOf(hash) + 1 + roll(3)) % 4]!
    const field = { [`f:${'xyz'[roll(3)]}`]: String(roll(9)) }
    const flat = Object.entries(field).flat()
    const v = 1 + roll(4) + Math.max(0, (copies[hash]?.v ?? 0) - 2)
    const lease = gate !== null && roll(3) > 0 ? { n: gate.n, g: gate.g } : this.#lease
    // In hours, so that what passes while the test runs does not count; none at all is refused.
    const hours = roll(10)
    const ttl = hours * hourMs
    const keys = [gateKey, copyKey(hash)]
    const op = roll(23)
    const go = (name: string, keys: string[], ...args: (string | number)[]) => run(this.#client, name, keys, ...args)
    if (op < 6) return await this.#read(hash, keys)
    if (op < 9) return { name: 'fill', wanted: this.model.fill(hash, lease, { v, f: field, ttl: hours }), got: await go('fill', keys, lease.n, lease.g, v, ttl, ...flat) }
    if (op < 11) {
      const dead = [roll(4) === 0, roll(4) === 0]
      return { name: 'kill', wanted: this.model.kill([hash, other], dead), got: await go('kill', [...keys, copyKey(other)], 30_000, ...dead.map(Number)) }
    }
    if (op < 13) {
      const victims = roll(3) === 0 ? [other] : []
      return { name: 'activate', wanted: this.model.activate(hash, victims, lease, { v: 1, f: field, ttl: hours }), got: await go('activate', [...keys, ...victims.map(copyKey)], lease.n, lease.g, 1, ttl, 30_000, ...flat) }
    }
    if (op < 16) {
      const deleted = roll(2) === 0 ? [] : ['f:x']
      return { name: 'save', wanted: this.model.save(hash, v, field, deleted), got: await go('save', keys, v, 1, ...flat, ...deleted) }
    }
    if (op < 17) return { name: 'touch', wanted: this.model.touch(hash, hours), got: await go('touch', keys, ttl) }
    if (op < 19) return { name: 'rotate', wanted: this.model.rotate(hash, other, lease, { v, f: field, ttl: hours }), got: await go('rotate', [...keys, copyKey(other)], lease.n, lease.g, v, ttl, ...flat) }
    return await this.#disturb(op, hash)
  }

  async #read (hash: string, keys: string[]) {
    const fresh = `n${++this.#nonce}`
    const wanted = this.model.read(hash, fresh, String(this.#era))
    const [reply] = await run(this.#client, 'read', keys, 10_000, this.#era, fresh) as [unknown[]]
    if (reply[0] !== 'DEAD' && this.#roll(2) === 0) this.#lease = { n: reply[1] as string, g: Number(reply[2]) }
    return { name: 'read', wanted, got: reply[0] === 'HIT' && !(Number(reply[3]) > 0) ? 'a hit without an expiry' : readable(reply) }
  }

  async #disturb (op: number, hash: string) {
    if (op === 19 && this.#roll(3) === 0) {
      this.model.redis.gate = null
      await this.#client.del(gateKey)
    } else if (op === 19) {
      delete this.model.redis.copies[hash]
      await this.#client.del(copyKey(hash))
    } else if (op === 20 && this.#roll(3) === 0) {
      this.#era++
    } else if (op === 21 && this.#roll(8) === 0) {
      Object.assign(this.model.redis, { gate: null, copies: {} })
      await this.#client.flushall()
    } else if (op === 22 && this.#roll(8) === 0) {
      return { name: 'bury', wanted: this.model.bury(hash), got: await run(this.#client, 'bury', [copyKey(hash)], 30_000) }
    }
    return { name: 'disturb', wanted: null, got: null }
  }
}

t.test('T6: the scripts answer as the model does, and no key is ever without expiry', async t => {
  const client = await server(t)
  const seed = randomInt(2 ** 31)
  t.comment(`seed ${seed}`)
  const duel = new Duel(client, dice(seed))
  const seen = new Set<string>()
  let looks = 0
  for (let i = 0; i < 5_000; i++) {
    const { name, wanted, got } = await duel.step()
    seen.add(`${name} ${Array.isArray(got) ? got[0] : got}`)
    if (JSON.stringify(sorted(wanted)) !== JSON.stringify(sorted(got))) t.same(got, wanted, `operation ${i}, ${name}, seed ${seed}`)
    for (const key of [gateKey, ...hashes.map(copyKey)]) {
      looks++
      if (await client.pttl(key) === -1) t.fail(`${key} has no expiry after operation ${i}, ${name}, seed ${seed}`)
    }
    for (const hash of hashes) {
      const { until } = duel.model.redis.copies[hash] ?? {}
      if (until !== undefined && Math.ceil(await client.pttl(copyKey(hash)) / hourMs) !== until) t.fail(`copy ${hash} does not expire when the model's does, after operation ${i}, ${name}, seed ${seed}`)
    }
  }
  t.equal(looks, 25_000)
  for (const outcome of ['read HIT', 'read MISS', 'read DEAD', 'fill 0', 'fill 1', 'fill 2', 'activate 0', 'activate 1', 'save 0', 'save 1', 'save 2', 'touch 0', 'touch 1', 'rotate 0', 'rotate 1']) {
    t.ok(seen.has(outcome), outcome)
  }
})

function sorted (value: unknown): unknown {
  if (!Array.isArray(value) || value[0] !== 'HIT') return value
  return [...value.slice(0, 4), Object.fromEntries(Object.entries(value[4] as object).sort(([a], [b]) => a < b ? -1 : 1))]
}

t.test('T6: saves before the row never create a key, and leave none without expiry', async t => {
  const client = await server(t)
  const seed = randomInt(2 ** 31)
  t.comment(`seed ${seed}`)
  const roll = dice(seed)
  const seen = new Set<string>()
  let version = 1
  for (let i = 0; i < 1_500; i++) {
    const keys = [gateKey, copyKey('a')]
    const was = await client.exists(copyKey('a'))
    const op = roll(10)
    if (op < 2) {
      const [[kind, n, g]] = await run(client, 'read', keys, 10_000, 'e', `n${i}`) as [string[]]
      if (kind === 'MISS') await run(client, 'fill', keys, n!, g!, version, hourMs, 'f:a', '0')
    } else if (op < 6) {
      const all = roll(8) === 0 ? 1 : 0
      const [done] = await run(client, 'keep', keys, 'e', 600, all, version - roll(2), 1, `f:${'abc'[roll(3)]}`, 'x'.repeat(roll(500)), ...roll(2) ? ['f:c'] : []) as [number]
      seen.add(`keep ${done}`)
      if (!was) t.equal(await client.exists(copyKey('a')), 0)
    } else if (op < 9) {
      const marks = await run(client, 'unsaved', [copyKey('a')]) as string[]
      const seq = marks.length > 0 && roll(3) > 0 ? marks[marks.indexOf('q') + 1]! : 1
      const drop = roll(3) === 0 ? 1 : 0
      seen.add(`settle ${await run(client, 'settle', keys, seq, marks.length > 0 ? ++version : 0, drop)}`)
      if (!was) t.equal(await client.exists(copyKey('a')), 0)
    } else if (roll(3) === 0) {
      await run(client, 'kill', keys, 50, 1)
      await client.del(copyKey('a'))
    }
    for (const key of keys) if (await client.pttl(key) === -1) t.fail(`${key} has no expiry after operation ${i}, seed ${seed}`)
    const flat = await client.hgetall(copyKey('a'))
    const marked = Object.keys(flat).some(field => field.startsWith('d:'))
    if (marked !== (flat.w === '1')) t.fail(`marks and w differ after operation ${i}, seed ${seed}`)
  }
  for (const outcome of ['keep 1', 'keep 0', 'keep -1', 'settle 1', 'settle 0']) t.ok(seen.has(outcome), outcome)
})

t.test('a save before the row wants a copy of the gate\'s lineage and of the asker\'s era, and writes nothing else', async t => {
  const client = await server(t)
  const keys = [gateKey, copyKey('a')]
  const keep = (era = 'e') => run(client, 'keep', keys, era, 600, 0, 1, 1, 'f:a', '2')
  const state = async () => [await client.hgetall(gateKey), await client.hgetall(copyKey('a'))]
  const refused = async (why: string, era?: string) => {
    const before = await state()
    t.same(await keep(era), [0], why)
    t.same(await state(), before, why)
  }
  const [[, n, g]] = await run(client, 'read', keys, 10_000, 'e', 'n1') as [string[]]
  await refused('no copy')
  await run(client, 'fill', keys, n!, g!, 1, hourMs, 'f:a', '1')
  await refused('an asker of another era', 'another')
  t.same(await keep(), [1, 1])
  // As after a log-out everywhere: the gate goes, and another one is made by whoever asks next.
  await client.del(gateKey)
  await refused('no gate')
  await run(client, 'read', keys, 10_000, 'e', 'n2')
  await refused('a copy of an earlier gate')
  await client.hset(copyKey('a'), 'n', 'n2')
  t.same(await keep(), [1, 1], 'and by nothing else')
})

t.test('the gate lives at least as long as its longest copy', async t => {
  const client = await server(t)
  const [[, n, g]] = await run(client, 'read', [gateKey], 10_000, 'e', 'n') as [string[]]
  await run(client, 'fill', [gateKey, copyKey('a')], n!, g!, 1, 500_000, 'i', 'x')
  t.ok(await client.pttl(gateKey) >= await client.pttl(copyKey('a')))
  await run(client, 'touch', [gateKey, copyKey('a')], 900_000, 'c', '1')
  t.ok(await client.pttl(gateKey) >= await client.pttl(copyKey('a')))
  t.ok(await client.pttl(copyKey('a')) > 800_000)
  t.equal(await client.hget(copyKey('a'), 'c'), '1')
})

t.test('a touch never shortens, and never creates', async t => {
  const client = await server(t)
  const [[, n, g]] = await run(client, 'read', [gateKey], 10_000, 'e', 'n') as [string[]]
  t.equal(await run(client, 'touch', [gateKey, copyKey('a')], 900_000), 0)
  t.equal(await client.exists(copyKey('a')), 0)
  await run(client, 'fill', [gateKey, copyKey('a')], n!, g!, 1, 500_000)
  await run(client, 'touch', [gateKey, copyKey('a')], 100)
  t.ok(await client.pttl(copyKey('a')) > 400_000)
})

t.test('a server out of memory still ends sessions', async t => {
  const client = await server(t)
  const [[, n, g]] = await run(client, 'read', [gateKey], 10_000, 'e', 'n') as [string[]]
  await run(client, 'fill', [gateKey, copyKey('a')], n!, g!, 1, 500_000, 'i', 'x')
  await client.config('SET', 'maxmemory', '1')
  await client.config('SET', 'maxmemory-policy', 'noeviction')
  await t.rejects(client.set('x', 'y'), /OOM/)
  t.equal(await run(client, 'kill', [gateKey, copyKey('a')], 30_000, 1), 1)
  t.equal((await run(client, 'read', [gateKey, copyKey('a')], 10_000, 'e', 'n2') as string[][])[0]![0], 'DEAD')
})

t.test('many copies are read at once, and one that is not ours spoils none of the others', async t => {
  const client = await server(t)
  const gate = (i: number) => `gate${i}`
  for (const i of [0, 1, 3]) {
    const [[, n, g]] = await run(client, 'read', [gate(i)], 10_000, 'e', `n${i}`) as [string[]]
    await run(client, 'fill', [gate(i), `copy${i}`], n!, g!, 1, 500_000, 'i', `x${i}`)
  }
  await client.set('gate2', 'a stranger was here')
  const keys = [0, 1, 2, 3, 4].flatMap(i => [gate(i), `copy${i}`])
  const eras = [0, 1, 2, 3, 4].flatMap(i => [i === 3 ? 'another' : 'e', `fresh${i}`])
  const replies = await run(client, 'read', keys, 10_000, ...eras) as string[][]
  t.strictSame(replies.map(([kind]) => kind), ['HIT', 'HIT', 'ERROR', 'MISS', 'MISS'])
  t.match(replies[2]![1], /WRONGTYPE/)
  t.equal(replies[3]![1], 'fresh3')
})
