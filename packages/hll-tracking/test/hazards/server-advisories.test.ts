import redis, { type Features } from '@respite/redis'
import { startRedis, until } from '@respite/testing'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import tracking from '../../src/index.ts'
import { advisoriesOf } from '../../src/server-advisories.ts'
import { secret } from '../assemble.ts'
import { logLines } from '../log-lines.ts'

const [resize, write] = ['CVE-2023-41056', 'CVE-2025-32023']

t.test('C9: a version has the faults that were mended after it', async t => {
  const expected: Record<string, Record<string, string[]>> = {
    redis: {
      '2.6.17': [],
      '2.8.9': [write],
      '6.2.18': [write],
      '6.2.19': [],
      '6.2.21': [],
      '6.3.4': [write],
      '7.0.8': [write],
      '7.0.9': [write, resize],
      '7.0.14': [write, resize],
      '7.0.15': [write],
      '7.2.0': [write, resize],
      '7.2.3': [write, resize],
      '7.2.4': [write],
      '7.2.9': [write],
      '7.2.10': [],
      '7.4.4': [write],
      '7.4.5': [],
      '8.0.2': [write],
      '8.0.3': [],
      '8.2.0': [],
      '10.0.0': []
    },
    valkey: { '7.2.9': [write], '7.2.10': [], '8.0.3': [write], '8.0.4': [], '8.1.2': [write], '8.1.3': [], '9.0.0': [] },
    keydb: { '6.3.4': [write] },
    dragonfly: { '1.2.3': [] },
    unknown: { 0: [] }
  }
  for (const [server, versions] of Object.entries(expected)) {
    for (const [version, ids] of Object.entries(versions)) t.same(advisoriesOf({ server, version }).map(({ id }) => id), ids, `${server} ${version}`)
  }
})

async function linesOf (t: Test, version: string): Promise<string[]> {
  const server = await startRedis()
  const { lines, stream } = logLines()
  const app = Fastify({ logger: { level: 'warn', stream } })
  t.teardown(async () => {
    await app.close()
    await server.stop()
  })
  await app.register(redis, { url: server.url })
  const { link } = app.respite
  Object.defineProperty(link, 'features', { get: (): Pick<Features, 'server' | 'version'> => ({ server: 'redis', version }) })
  await app.register(tracking, { key: secret })
  await app.ready()
  await until('the link', () => link.state === 'up')
  await server.kill()
  await until('the link to know', () => link.state === 'down')
  await server.restart()
  await until('the link again', () => link.state === 'up')
  return lines.filter(line => line.includes('known faults'))
}

t.test('C9: a server with known faults is named once in the log, with the versions that mend them', async t => {
  const lines = await linesOf(t, '7.0.11')
  t.equal(lines.length, 1)
  t.match(JSON.parse(lines[0]!), { level: 40, server: 'redis', version: '7.0.11', advisories: [{ id: write, mended: ['6.2.19', '7.2.10', '7.4.5', '8.0.3'] }, { id: resize }] })
})

t.test('C9: of a server without any nothing is said', async t => {
  t.same(await linesOf(t, '8.2.1'), [])
})
