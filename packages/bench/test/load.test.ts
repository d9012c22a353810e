import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startLoadGenerator } from '../src/load.ts'

t.test('counts what a server answers, over as many connections as were asked for, each with its cookie and address', async t => {
  const cookies = new Set<string | undefined>()
  const addresses = new Set<string | undefined>()
  const ports = new Set<number | undefined>()
  let requests = 0
  const server = createServer((request, response) => {
    cookies.add(request.headers.cookie)
    addresses.add(request.socket.remoteAddress)
    ports.add(request.socket.remotePort)
    response.statusCode = ++requests % 10 === 0 ? 503 : 200
    response.end('done')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const generator = await startLoadGenerator()
  t.teardown(() => generator.stop())

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const result = await generator.run({ url, connections: 8, seconds: 0.3, cookies: ['a=1', 'a=2', 'a=3'] })
  t.same([...cookies].sort(), ['a=1', 'a=2', 'a=3'])
  t.equal(ports.size, 8)
  if (process.platform === 'linux') t.equal(addresses.size, 8)
  t.ok(result.responses > 0 && result.responses <= requests, `${result.responses} of ${requests} counted`)
  t.ok(requests - result.responses <= 8, 'what was on its way at the end is not counted')
  t.same(Object.keys(result.statuses), ['200', '503'])
  t.equal(Object.values(result.statuses).reduce((sum, n) => sum + n), result.responses)
  t.equal(result.failures, 0)
  t.ok(result.p50Ms <= result.p99Ms && result.p99Ms <= result.maxMs)
  t.ok(result.seconds > 0.2, `${result.seconds} s`)
})

t.test('a server that hangs up is not a server that answered', async t => {
  const server = createServer((request, response) => { request.socket.destroy(); response.end() }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const generator = await startLoadGenerator()
  t.teardown(() => generator.stop())
  const result = await generator.run({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, connections: 2, seconds: 0.2 })
  t.equal(result.responses, 0)
  t.ok(result.failures > 0, `${result.failures} failures`)
})

t.test('paced requests come in their own time, each of the next user, and wait for none', async t => {
  const users: unknown[] = []
  const waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    users.push(request.headers['x-user'])
    // The first is answered after the others have come.
    if (users.length === 1) waiting.push(() => response.end())
    else response.end()
    if (users.length === 20) waiting[0]!()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const generator = await startLoadGenerator()
  t.teardown(() => generator.stop())
  const result = await generator.run({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seconds: 0.5, paced: { perSecond: 200, users: 3 } })
  t.same([...new Set(users)].sort(), ['user-0', 'user-1', 'user-2'])
  t.ok(result.responses >= 80 && result.responses <= 120, `${result.responses} in half a second at 200 a second`)
  t.same([result.failures, result.statuses], [0, { 200: result.responses }])
  t.ok(result.p50Ms < result.maxMs, `the first took ${result.maxMs} ms, the others ${result.p50Ms}`)
})
