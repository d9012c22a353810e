import type { Test } from 'tap'
import { until } from '@respite/testing'
import type { LocalCopies } from '../../src/invalidations/invalidations.ts'
import type { Instance, InstanceSettings } from '../instance.ts'

/** One client of the server under test that is no part of Respite. */
export interface Writer {
  call (command: string, ...args: (string | number)[]): Promise<unknown>
  /** The same on every master. */
  callAll (command: string, ...args: (string | number)[]): Promise<unknown[]>
}

export interface InvalidationsFixture {
  writer: Writer
  /** Another instance of the app. */
  instance (settings?: InstanceSettings): Promise<Pick<Instance, 'invalidations' | 'link'>>
}

/** Copies that write down what they are told. */
export function scribe (): LocalCopies & { keys: string[], alls: number } {
  const copies = {
    keys: [] as string[],
    alls: 0,
    changed (keys: readonly string[]) { copies.keys.push(...keys) },
    all () { copies.alls++ }
  }
  return copies
}

let spaces = 0

/** What invalidations by a server do, whatever client and however many masters. */
export function invalidationsContract (t: Test, { writer, instance }: InvalidationsFixture): void {
  /** An instance that is armed for a prefix of the test's own. */
  async function armed (settings: InstanceSettings = {}) {
    const prefix = `test${++spaces}:`
    const told = scribe()
    const app = await instance(settings)
    app.invalidations.follow([prefix], told)
    await until('it is armed', () => app.invalidations.armed)
    return { ...app, told, prefix, hears: (key: string) => until(`it hears of ${key}`, () => told.keys.includes(key)) }
  }

  t.test('every change of a key is told, whoever makes it and however, on whichever master', async t => {
    const { prefix, told, link, invalidations } = await armed()
    t.equal(invalidations.means, 'broadcast')
    const changes: [string, (key: string) => Promise<unknown>][] = [
      ['set', key => writer.call('SET', key, '1')],
      ['own set', key => link.send('SET', key, '1')],
      ['mset', key => writer.call('MSET', key, '1', `other${key}`, '2')],
      ['script', key => writer.call('EVAL', 'return redis.call("SET", KEYS[1], "1")', 1, key)],
      ['expire', key => writer.call('PEXPIRE', key, 100_000)],
      ['delete', key => writer.call('DEL', key)]
    ]
    for (const [name, change] of changes) {
      // Enough keys that each of three masters has some.
      const keys = Array.from({ length: 8 }, (_, i) => `${prefix}{${i}}`)
      told.keys.length = 0
      await Promise.all(keys.map(change))
      await until(`all are told of ${name}`, () => keys.every(key => told.keys.includes(key)))
    }
  })

  t.test('of keys under no followed prefix nothing is told', async t => {
    const { prefix, told, hears } = await armed()
    await writer.call('SET', `other:${prefix}`, '1')
    await writer.call('SET', `${prefix}last`, '1')
    await hears(`${prefix}last`)
    t.same(told.keys, [`${prefix}last`])
  })

  t.test('a key that ends by its time is told', async () => {
    const { prefix, told } = await armed()
    const key = `${prefix}short`
    await writer.call('SET', key, '1', 'PX', 30)
    await until('the write and the expiry', () => told.keys.filter(one => one === key).length >= 2)
  })

  t.test('an answer that was overtaken by a change of its key is not kept; others are', async t => {
    const { prefix, hears, invalidations, link } = await armed()
    const [changed, still] = [`${prefix}changed`, `${prefix}still`]
    const mark = invalidations.mark([changed, still])
    await link.send('GET', changed)
    await writer.call('SET', changed, 'new')
    await hears(changed)
    t.same([mark.mayKeep(changed), mark.mayKeep(still)], [false, true])
    mark.release()
  })

  t.test('an own change spoils at once, before the server has said so', async t => {
    const { prefix, invalidations } = await armed()
    const mark = invalidations.mark([`${prefix}a`])
    invalidations.changedHere([`${prefix}a`])
    t.equal(mark.mayKeep(`${prefix}a`), false)
    mark.release()
  })

  t.test('a flush drops everything and spoils every mark', async t => {
    const { prefix, told, invalidations } = await armed()
    const mark = invalidations.mark([`${prefix}a`])
    const { alls } = told
    await writer.callAll('FLUSHALL')
    await until('all are dropped', () => told.alls > alls)
    t.equal(mark.mayKeep(`${prefix}a`), false)
    mark.release()
  })

  t.test('a prefix that is added later is armed too, and nothing from before is kept', async t => {
    const { prefix, told, hears, invalidations } = await armed()
    const mark = invalidations.mark([`${prefix}a`])
    const { generation } = invalidations
    const more = scribe()
    invalidations.follow([`more${prefix}`, `${prefix}sub:`], more)
    t.equal(invalidations.armed, false)
    await until('it is armed again', () => invalidations.armed)
    t.ok(invalidations.generation > generation)
    t.equal(mark.mayKeep(`${prefix}a`), false)
    await writer.call('SET', `more${prefix}x`, '1')
    await writer.call('SET', `${prefix}sub:x`, '1')
    await hears(`${prefix}sub:x`)
    await until('the new prefix is heard', () => more.keys.length === 2)
    t.notOk(told.keys.includes(`more${prefix}x`))
  })

  t.test('either end killed: nothing is kept until it is armed again, which it is by itself', async t => {
    for (const end of ['asking', 'told']) {
      const { prefix, hears, invalidations, told } = await armed({ heartbeatMs: 100, deadlineMs: 500 })
      const mark = invalidations.mark([`${prefix}a`])
      const { generation } = invalidations
      const { alls } = told
      await kill(writer, end as 'asking' | 'told')
      await until(`the loss is noticed (${end})`, () => invalidations.generation > generation)
      await until(`it is armed again (${end})`, () => invalidations.armed)
      t.equal(mark.mayKeep(`${prefix}a`), false, end)
      t.ok(told.alls > alls, end)
      await writer.call('SET', `${prefix}after`, '1')
      await hears(`${prefix}after`)
    }
  })

  t.test('a process that was stopped for longer than the bound uses no copy when it goes on', async t => {
    let stoppedMs = 0
    const { invalidations } = await armed({ clock: { monotonicMs: () => performance.now() + stoppedMs, wallMs: () => 0 } })
    stoppedMs = 2_000
    t.equal(invalidations.armed, false)
    await until('a heartbeat has confirmed it', () => invalidations.armed)
  })

  t.test('held back it is not armed', async t => {
    const { invalidations } = await armed()
    invalidations.hold('queue', true)
    t.equal(invalidations.armed, false)
    invalidations.hold('queue', false)
    t.equal(invalidations.armed, true)
  })
}

/** Kills the connections that ask for tracking, or those that are told. */
async function kill (writer: Writer, end: 'asking' | 'told'): Promise<void> {
  for (const list of await writer.callAll('CLIENT', 'LIST')) {
    const clients = String(list).trim().split('\n').map(line => ({ id: /id=(\d+)/.exec(line)![1]!, redirect: /redir=(-?\d+)/.exec(line)![1]! }))
    const asking = clients.filter(({ redirect }) => Number(redirect) > 0)
    // Of another master's client there is none by this id: nothing happens there.
    await Promise.all(asking.map(({ id, redirect }) => writer.callAll('CLIENT', 'KILL', 'ID', end === 'asking' ? id : redirect)))
  }
}
