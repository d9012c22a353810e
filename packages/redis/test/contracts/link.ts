import type { Test } from 'tap'
import { createKeyspace } from '../../src/keyspace.ts'
import { wild } from '../../src/glob.ts'
import type { Link } from '../../src/link/link.ts'
import { defineScript } from '../../src/script.ts'

const get = defineScript('test.get', "-- Reads a key.\nreturn redis.call('GET', KEYS[1])")
const getBytes = defineScript('test.get-bytes', "-- Reads a key as bytes.\nreturn redis.call('GET', KEYS[1])", { reply: 'bytes' })
const put = defineScript('test.put', "-- Writes a key.\nredis.call('SET', KEYS[1], ARGV[1])\nreturn {1, ARGV[1]}", { flags: ['allow-oom'], redirect: 'refuse' })

/** A client of the server under test that is no part of Respite. */
export interface Outsider {
  /** On every master. */
  callAll (command: string, ...args: string[]): Promise<unknown>
}

let turn = 0

/** What every link to a server does, whatever the client and however many masters. */
export function linkContract (t: Test, { link, outsider }: { link: Link, outsider: Outsider }): void {
  const shape = createKeyspace(`link${++turn}-${process.pid}`).define('thing:{<name>}')

  t.test('is up, and knows the server', async t => {
    t.equal(link.state, 'up')
    t.equal(link.reason, undefined)
    t.match(link.features, { server: /redis|valkey/, version: /^\d+\./, tracking: true, era: true })
  })

  t.test('sends strings, numbers and bytes, and answers strings or Buffers', async t => {
    const key = shape.key('a')
    const bytes = Buffer.from([0, 255, 13, 10, 42])
    t.equal(await link.send('SET', key, 'é\r\n*'), 'OK')
    t.equal(await link.send('GET', key), 'é\r\n*')
    t.same(await link.sendBytes('GET', key), Buffer.from('é\r\n*'))
    await link.send('SET', key, bytes)
    t.same(await link.sendBytes('GET', key), bytes)
    await link.send('SET', key, 42)
    t.equal(await link.send('INCR', key), 43)
    t.equal(await link.send('GET', shape.key('nothing')), null)
    t.same(await link.send('HGETALL', shape.key('nothing')), [])
    await link.send('HSET', shape.key('h'), 'f', 'v', 'g', 1)
    t.same(await link.send('HGETALL', shape.key('h')), ['f', 'v', 'g', '1'])
  })

  t.test('runs scripts, also after the server has forgotten them', async t => {
    const key = shape.key('script')
    t.same(await link.run(put, [key], ['one']), [1, 'one'])
    t.equal(await link.run(get, [key], []), 'one')
    t.same(await link.run(getBytes, [key], []), Buffer.from('one'))
    await outsider.callAll('SCRIPT', 'FLUSH')
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => link.run(put, [shape.key(String(i))], [i])))
    t.same(answers, Array.from({ length: 50 }, (_, i) => [1, String(i)]))
  })

  t.test('call answers by a callback, never before it has returned', async t => {
    let returned = false
    const reply = await new Promise((resolve, reject) => {
      link.call(put, [shape.key('call')], ['two'], (error, reply) => {
        t.ok(returned)
        if (error === null) resolve(reply)
        else reject(error)
      })
      returned = true
    })
    t.same(reply, [1, 'two'])
  })

  t.test('soon calls once, at the end of the turn, and what it sends is answered like the rest', async t => {
    const key = shape.key('soon')
    const seen: string[] = []
    const ended = new Promise<unknown>((resolve, reject) => {
      link.soon(() => {
        seen.push('soon')
        link.send('INCR', key).then(resolve, reject)
      })
    })
    seen.push('turn')
    const before = link.send('INCR', key)
    await Promise.resolve()
    t.strictSame(seen, ['turn'], 'not while the turn lasts')
    t.strictSame([await before, await ended], [1, 2])
    t.strictSame(seen, ['turn', 'soon'])
  })

  t.test('answers in the order of the questions', async t => {
    const key = shape.key('order')
    const answers = await Promise.all(Array.from({ length: 200 }, () => link.send('INCR', key)))
    t.same(answers, Array.from({ length: 200 }, (_, i) => i + 1))
  })

  t.test('an error of the server is refused, with its first word and cause', async t => {
    const key = shape.key('wrong')
    await link.send('SET', key, 'text')
    await t.rejects(link.send('HGET', key, 'f'), { code: 'FST_RSP_REDIS_REPLY', outcome: 'refused', reply: 'WRONGTYPE', cause: Error })
    await t.rejects(link.send('NOSUCHCOMMAND', key), { code: 'FST_RSP_REDIS_REPLY', reply: 'ERR' })
    t.equal(link.state, 'up', 'which is the caller\'s fault, not the server\'s')
  })

  t.test('scan walks every key of every master that matches, and no other', async t => {
    const names = Array.from({ length: 300 }, (_, i) => `user:${i}*{x}`)
    await Promise.all(names.map(name => link.send('SET', shape.key(name), '1')))
    await link.send('SET', shape.key('users'), '1')
    const seen = new Set<string>()
    await link.scan(shape.glob(wild('user:*')), keys => { for (const key of keys) seen.add(key) })
    t.same([...seen].sort(), names.map(name => shape.key(name)).sort())
  })

  t.test('knows the era of each key, and it stays while the server does', async t => {
    const eras = Array.from({ length: 20 }, (_, i) => link.eraOf(shape.key(String(i))))
    t.notOk(eras.includes(undefined))
    t.same(Array.from({ length: 20 }, (_, i) => link.eraOf(shape.key(String(i)))), eras)
    t.equal(eras.some(era => /redis|127|[^0-9a-zA-Z_.-]/.test(String(era))), false)
  })

  t.test('within another deadline it is the same link', async t => {
    const longer = link.within(5_000)
    t.equal(longer.deadlineMs, 5_000)
    t.equal(await longer.send('PING'), 'PONG')
    t.equal(longer.generation, link.generation)
  })
}
