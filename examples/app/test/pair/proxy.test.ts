import { once } from 'node:events'
import { createServer, request as httpRequest, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort, gate } from '@respite/testing'
import t, { type Test } from 'tap'
import { startProxy } from '../../src/pair/proxy.ts'

async function server (t: Test, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return (server.address() as AddressInfo).port
}

async function proxy (t: Test, ports: number[]): Promise<string> {
  const proxy = await startProxy(ports, { host: '127.0.0.1', port: 0 })
  t.teardown(proxy.stop)
  return `http://127.0.0.1:${proxy.port}`
}

const close = { connection: 'close' }

t.test('hands the requests out in turn', async t => {
  const ports = [await server(t, (_, response) => { response.end('one') }), await server(t, (_, response) => { response.end('two') })]
  const url = await proxy(t, ports)
  const answers: string[] = []
  for (let i = 0; i < 4; i++) answers.push(await (await fetch(url, { headers: close })).text())
  t.same(answers, ['one', 'two', 'one', 'two'])
})

t.test('passes on method, path, headers and body, and adds the client to X-Forwarded-For', async t => {
  const url = await proxy(t, [await server(t, async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    response.writeHead(201, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }))
  })])
  const response = await fetch(`${url}/a%2Fb?c=d`, { method: 'PUT', body: 'hello', headers: { ...close, 'x-mine': '1', 'x-forwarded-for': '192.0.2.7' } })
  t.equal(response.status, 201)
  t.equal(response.headers.get('x-answer'), 'yes')
  t.same(response.headers.getSetCookie(), ['a=1', 'b=2'])
  t.match(await response.json(), {
    method: 'PUT', url: '/a%2Fb?c=d', body: 'hello', headers: { 'x-mine': '1', 'x-forwarded-for': '192.0.2.7, 127.0.0.1', host: new URL(url).host }
  })
})

t.test('streams: the first bytes are there before the last are written', async t => {
  const rest = gate()
  const url = await proxy(t, [await server(t, async (_, response) => {
    response.write('first ')
    await rest.pass()
    response.end('last')
  })])
  const reader = (await fetch(url, { headers: close })).body!.getReader()
  t.equal(Buffer.from((await reader.read()).value!).toString(), 'first ')
  rest.open()
  t.equal(Buffer.from((await reader.read()).value!).toString(), 'last')
})

t.test('tells the client when the server is not there', async t => {
  const response = await fetch(await proxy(t, [await freePort()]), { headers: close })
  t.equal(response.status, 502)
  t.match(await response.json(), { statusCode: 502, error: 'Bad Gateway', message: /ECONNREFUSED/ })
})

t.test('tells the server when the client has gone', async t => {
  const arrived = gate()
  const gone = gate()
  const url = await proxy(t, [await server(t, (request, response) => {
    arrived.pass()
    response.once('close', () => { gone.pass() })
  })])
  const asking = httpRequest(url)
  asking.once('error', () => undefined) // it is cut on purpose
  asking.end()
  await arrived.reached
  asking.destroy()
  await gone.reached
  t.pass('the response was closed')
})
