import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { seeded, type Seeded, startRedis } from '@respite/testing'
import { bytesOf } from '../../src/stores/merge.ts'
import { everlasting } from './house.ts'
import { LedgerModel } from './ledger-model.ts'

const names = ['read', 'login', 'revoke', 'save', 'touch', 'rotate'] as const
const scripts = Object.fromEntries(names.map(name => [name, readFileSync(new URL(`../../lua/redis-only/${name}.lua`, import.meta.url), 'utf8')])) as Record<typeof names[number], string>
const ledger = 'respite:v1:session:{room}:ledger'
const dataOf = (hash: string) => `respite:v1:session:{room}:data:${hash}`
// So that what passes while the test runs does not count.
const hourMs = 3_600_000
const never = 9e15

async function server (t: Test): Promise<Redis> {
  const redis = await startRedis()
  const client = new Redis(redis.port, '127.0.0.1')
  t.teardown(async () => { client.disconnect(); await redis.stop() })
  return client
}

const run = (client: Redis, name: typeof names[number], keys: string[], ...args: (string | number)[]) => client.eval(scripts[name], keys.length, ...keys, ...args)
const flat = (fields: Map<string, string>) => [...fields].flatMap(([name, json]) => [`f:${name}`, json])

/** One random operation on both: what the model says and what the server says. */
class Duel {
  readonly model = new LedgerModel()
  hashes = ['none']
  #made = 0
  readonly #client: Redis
  readonly #random: Seeded

  constructor (client: Redis, random: Seeded) {
    this.#client = client
    this.#random = random
  }

  async step (): Promise<{ name: string, wanted: unknown, got: unknown }> {
    const { model } = this
    const roll = (below: number) => this.#random.below(below)
    const hash = this.hashes[roll(this.hashes.length)]!
    const sid = () => `sid${this.#made - roll(5)}`
    const op = roll(30)
    if (op < 6) return await this.#login(sid())
    if (op < 9) {
      const [only, except] = [['', ''], [sid(), ''], ['', sid()]][roll(3)] as [string, string]
      const [, ended, gone] = await this.#run('revoke', [ledger], only, except) as [unknown, string[], string[]]
      return { name: 'revoke', wanted: model.revoke(only, except), got: [ended.sort(), gone.filter((_, i) => i % 2 === 0).sort()] }
    }
    if (op < 16) return await this.#save(hash)
    if (op < 19) {
      const got = await this.#run('touch', [ledger, dataOf(hash)], model.era, hash, (1 + roll(9)) * hourMs) as number[]
      return { name: 'touch', wanted: model.touch(hash), got: got.length === 3 }
    }
    if (op < 24) {
      const next = this.#named()
      return { name: 'rotate', wanted: model.rotate(hash, next), got: await this.#run('rotate', [ledger, dataOf(hash), dataOf(next)], model.era, never, hash, next, hourMs, 2 * hourMs) }
    }
    return await this.#disturb(op, hash)
  }

  async read (hash: string): Promise<unknown[]> {
    const [reply] = await this.#run('read', [ledger, dataOf(hash)], this.model.era, hash) as [unknown[]]
    if (reply[0] !== 'LIVE') return reply
    const all = new Map<string, string>()
    const list = reply[7] as string[]
    for (let i = 0; i < list.length; i += 2) all.set(list[i]!, list[i + 1]!)
    return ['LIVE', reply[1], Number(all.get('v')), Number(all.get('b')), Object.fromEntries([...all].filter(([name]) => name.startsWith('f:')).map(([name, json]) => [name.slice(2), json]).sort())]
  }

  #named (): string {
    const hash = `h${++this.#made}`
    this.hashes = [...this.hashes.slice(-7), hash]
    return hash
  }

  #fields (): Map<string, string> {
    return new Map(['x', 'ä', 'z'].filter(() => this.#random.below(2) === 0).map(name => [name, JSON.stringify('é'.repeat(this.#random.below(9)))]))
  }

  async #login (replaces: string) {
    const roll = (below: number) => this.#random.below(below)
    const hash = this.#named()
    const [fields, idle, absolute] = [this.#fields(), (1 + roll(9)) * hourMs, (5 + roll(9)) * hourMs]
    const onExceed = ['replace', 'evict-oldest', 'reject'][roll(3)]!
    const one = { hash, sid: `sid${this.#made}`, max: onExceed === 'replace' ? 1 : 1 + roll(4), onExceed, replaces, fields }
    const got = await this.#run('login', [ledger, dataOf(hash)], this.model.era, never, hash, one.sid, 'owner', 'ada', idle, absolute, one.max, onExceed, replaces, bytesOf(fields), 0, ...flat(fields)) as unknown[]
    return { name: 'login', wanted: this.model.login(one), got: got.slice(0, 2) }
  }

  async #save (hash: string) {
    const roll = (below: number) => this.#random.below(below)
    const mode = ['merge', 'last-wins', 'compare-and-set'][roll(3)]!
    const set = this.#fields()
    const deleted = ['x', 'ä', 'z'].filter(name => !set.has(name) && roll(3) === 0)
    const save = { mode, loaded: 1 + roll(3), set, deleted, mostBytes: 20 + roll(60) }
    const got = await this.#run('save', [ledger, dataOf(hash)], this.model.era, hash, mode, save.loaded, save.mostBytes, set.size, ...[...set].flat(), ...deleted)
    return { name: 'save', wanted: this.model.save(hash, save), got }
  }

  async #disturb (op: number, hash: string) {
    if (op === 24 && this.#random.below(3) === 0) {
      this.model.lose()
      await this.#client.del(ledger)
    } else if (op === 25) {
      this.model.evict(hash)
      await this.#client.del(dataOf(hash))
    } else if (op === 26 && this.#random.below(4) === 0) {
      this.model.era = `e${this.#random.below(3)}`
    } else if (op === 27 && this.#random.below(4) === 0) {
      this.model.lose()
      await this.#client.flushall()
    }
    return { name: 'disturb', wanted: null, got: null }
  }

  #run (name: typeof names[number], keys: string[], ...args: (string | number)[]) {
    return run(this.#client, name, keys, ...args)
  }
}

t.test('T6: under wipes, evictions and changes of era the scripts answer as the model does, and after every command every key has an expiry', async t => {
  const client = await server(t)
  const duel = new Duel(client, seeded(t))
  const seen = new Set<string>()
  for (let i = 0; i < 4_000; i++) {
    const { name, wanted, got } = await duel.step()
    seen.add(`${name} ${Array.isArray(got) ? got[0] : got}`)
    if (JSON.stringify(got) !== JSON.stringify(wanted)) return t.strictSame(got, wanted, `operation ${i}, ${name}`)
    if (name === 'disturb') continue
    const keys = await everlasting(client)
    if (keys.length > 0) return t.fail(`${keys} has no expiry after operation ${i}, ${name}`)
    const ledgerLeft = await client.pttl(ledger)
    for (const hash of duel.hashes) {
      const [wanted, got] = [duel.model.read(hash), await duel.read(hash)]
      seen.add(`read ${got[0]}`)
      if (JSON.stringify(got) !== JSON.stringify(wanted)) return t.strictSame(got, wanted, `read of ${hash} after operation ${i}, ${name}`)
      if (got[0] === 'LIVE' && await client.pttl(dataOf(hash)) > ledgerLeft) return t.fail(`${hash} outlives its ledger after operation ${i}, ${name}`)
    }
  }
  for (const outcome of ['login MADE', 'login LIMIT', 'save SAVED', 'save NEXT', 'save GONE', 'save CONFLICT', 'save LARGE', 'touch true', 'touch false', 'rotate 0', 'rotate 1', 'read LIVE', 'read NEXT', 'read DEAD']) {
    t.ok(seen.has(outcome), outcome)
  }
})

t.test('what comes after its time makes nothing, and changes nothing', async t => {
  const client = await server(t)
  const login = (hash: string, until: number) => run(client, 'login', [ledger, dataOf(hash)], 'e', until, hash, hash, 'owner', 'ada', hourMs, hourMs, 1, 'replace', '', 2)
  await login('a', never)
  t.strictSame(await login('b', 1), ['LATE'])
  t.equal(await run(client, 'rotate', [ledger, dataOf('a'), dataOf('c')], 'e', 1, 'a', 'c', hourMs, hourMs), 0)
  t.match(await run(client, 'read', [ledger, dataOf('a')], 'e', 'a'), [['LIVE', 'a', 'ada']])
  t.strictSame((await client.keys('*')).sort(), [dataOf('a'), ledger])
})

t.test('a ledger forgets superseded hashes whose time has passed: it does not grow with the rotations', async t => {
  const client = await server(t)
  await run(client, 'login', [ledger, dataOf('h0')], 'e', never, 'h0', 'sid', 'owner', 'ada', hourMs, hourMs, 1, 'replace', '', 2)
  for (let i = 0; i < 100; i++) t.equal(await run(client, 'rotate', [ledger, dataOf(`h${i}`), dataOf(`h${i + 1}`)], 'e', never, `h${i}`, `h${i + 1}`, 0, 0), 1)
  t.ok((await client.hkeys(ledger)).filter(name => name.startsWith('r:')).length <= 2)
  t.match(await run(client, 'read', [ledger, dataOf('h100')], 'e', 'h100'), [['LIVE', 'sid', 'ada']])
})

t.test('while a process is of another era it neither finds sessions nor ends them by looking', async t => {
  const client = await server(t)
  await run(client, 'login', [ledger, dataOf('a')], 'new', never, 'a', 'a', 'owner', 'ada', hourMs, hourMs, 1, 'replace', '', 2)
  t.strictSame(await run(client, 'read', [ledger, dataOf('a')], 'old', 'a'), [['DEAD']])
  t.strictSame(await run(client, 'touch', [ledger, dataOf('a')], 'old', 'a', hourMs), [])
  t.match(await run(client, 'read', [ledger, dataOf('a')], 'new', 'a'), [['LIVE', 'a', 'ada']])
  t.strictSame(await run(client, 'revoke', [ledger], '', ''), ['ada', ['a'], ['a', 'a']], 'a revoke is of all eras')
})
