import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, type ServerResponse, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { gate, until } from '@respite/testing'
import { tee } from '../../src/route/tee.ts'
import { appInTime } from './app-in-time.ts'

const cached = { config: { cache: { ttl: '1m' } } } as const

t.test('a stream is stored when it has ended; a hit is its bytes', async t => {
  const { app, get } = await appInTime(t)
  app.get('/', cached, async (_, reply) => reply.type('text/plain').send(Readable.from(['a', Buffer.from('ü'), 'c'])))
  t.equal((await get('/')).body, 'aüc')
  const hit = await get('/')
  t.strictSame([hit.body, hit.state, hit.headers['content-type'], hit.headers['content-length']], ['aüc', 'HIT', 'text/plain', '4'])
})

t.test('beyond maxResponseBytes it passes through as it is', async t => {
  const { app, get } = await appInTime(t, { maxResponseBytes: 10 })
  app.get('/', cached, async (_, reply) => reply.send(Readable.from(['12345', '67890', 'x'])))
  app.get('/announced', cached, async (_, reply) => reply.header('content-length', 11).send(Readable.from(['12345678901'])))
  for (const url of ['/', '/announced']) {
    const seen = [await get(url), await get(url)]
    t.strictSame(seen.map(({ state, body }) => [state, body.length]), [['MISS', 11], ['MISS', 11]])
  }
})

t.test('H3: a stream that breaks off, or is shorter than it said, is not stored', async t => {
  const { app } = await appInTime(t)
  let broken = true
  app.get('/breaks', cached, async (_, reply) => {
    const source = new PassThrough()
    source.write('first')
    if (broken) setImmediate(() => source.destroy(new TypeError('lost')))
    else source.end()
    return reply.send(source)
  })
  app.get('/short', cached, async (_, reply) => reply.header('content-length', 9).send(Readable.from(['12345'])))
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = (path: string) => fetch(address + path).then(async answer => [answer.headers.get('x-cache'), await answer.text()], () => 'broken off').catch(() => 'broken off')
  t.strictSame([await ask('/breaks'), await ask('/breaks')], ['broken off', 'broken off'])
  const short = async () => (await app.inject('/short')).headers['x-cache']
  t.strictSame([await short(), await short()], ['MISS', 'MISS'])
  broken = false
  t.strictSame([await ask('/breaks'), await ask('/breaks')], [['MISS', 'first'], ['HIT', 'first']])
})

t.test('H3: a client that leaves in the middle of a stream does not end it for the others', async t => {
  const { app } = await appInTime(t)
  const hold = gate()
  let runs = 0
  app.get('/', cached, async (_, reply) => {
    runs++
    return reply.send(Readable.from((async function * () {
      yield 'one,'
      await hold.pass()
      yield 'two'
    })()))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const leaving = get(app)
  const [, served] = await once(app.server, 'request') as [unknown, ServerResponse]
  const [begun] = await once(leaving, 'response') as [IncomingMessage]
  begun.on('error', () => undefined)
  await hold.reached
  const staying = get(app)
  await once(app.server, 'request')
  leaving.destroy()
  await once(served, 'close')
  hold.open()
  const [answer] = await once(staying, 'response') as [IncomingMessage]
  t.strictSame([answer.headers['x-cache'], await text(answer), runs], ['HIT', 'one,two', 1])
})

/** A request on a connection of its own. */
function get ({ server }: FastifyInstance): ClientRequest {
  const { port } = server.address() as AddressInfo
  return request({ port, host: '127.0.0.1', agent: false }).end()
}

t.test('a client that reads slowly does not hold up those who wait for the same answer', async t => {
  const source = Readable.from([Buffer.alloc(1_000), Buffer.alloc(1_000)])
  const { client, body } = tee(source, 10_000)
  t.equal((await body)!.length, 2_000)
  t.equal(client.readableLength, 2_000, 'nobody has read it yet')
})

t.test('beyond what may be kept a slow client slows the source, and one that leaves ends it', async t => {
  let given = 0
  const source = new Readable({ highWaterMark: 100, read () { given += 100; this.push(Buffer.alloc(100)) } })
  const { client, body } = tee(source, 1_000)
  t.equal(await body, undefined)
  await until('it waits', () => source.isPaused())
  t.ok(given < 3_000, `${given}`)
  client.destroy()
  await until('it has ended', () => source.destroyed)
})

t.test('a stream of objects is refused, not a crash', async t => {
  const { client, body } = tee(Readable.from([{ a: 1 }]), 100)
  const failed = new Promise<Error>(resolve => { client.once('error', resolve) })
  t.match(await failed, { name: 'TypeError' })
  t.equal(await body, undefined)
})

t.test('HEAD asks of a stream nothing that a GET could be given; an event stream is nobody\'s to keep', async t => {
  const { app, inject, get } = await appInTime(t)
  app.get('/', cached, async (request, reply) => reply.send(Readable.from(request.method === 'HEAD' ? [] : ['body'])))
  app.get('/silent', cached, async (request, reply) => reply.type('text/plain').send(request.method === 'HEAD' ? '' : 'body'))
  app.get('/events', cached, async (_, reply) => reply.type('text/event-stream').send(Readable.from(['data: 1\n\n'])))
  for (const url of ['/', '/silent']) {
    t.equal((await inject({ method: 'HEAD', url })).state, 'MISS')
    t.strictSame([(await get(url)).state, (await get(url)).body, (await inject({ method: 'HEAD', url })).state], ['MISS', 'body', 'HIT'])
  }
  t.strictSame([(await get('/events')).state, (await get('/events')).state], ['MISS', 'MISS'])
})

t.test('a HEAD route with a handler of its own passes by, and fills nothing', async t => {
  const { app, inject, get } = await appInTime(t)
  app.head('/', cached, async (_, reply) => reply.header('x-own', '1').send('head'))
  app.get('/', { ...cached, exposeHeadRoute: false }, async () => 'get')
  const head = await inject({ method: 'HEAD', url: '/' })
  t.strictSame([head.state, head.headers['cache-status'], head.headers['x-own']], ['BYPASS', 'respite; fwd=method', '1'])
  t.equal((await get('/')).body, 'get')
})

t.test('a stream that was over before it was sent ends the answer as it does without a cache', async t => {
  const { app } = await appInTime(t)
  const ended = async () => {
    const source = Readable.from(['x'])
    await text(source)
    if (!source.closed) await once(source, 'close')
    return source
  }
  const destroyed = async () => {
    const source = new PassThrough().destroy()
    await once(source, 'close')
    return source
  }
  for (const [name, make] of [['ended', ended], ['destroyed', destroyed]] as const) {
    app.get(`/cached/${name}`, cached, make)
    app.get(`/plain/${name}`, make)
  }
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = async (path: string) => {
    const answer = await fetch(address + path)
    return [answer.status, await answer.text()]
  }
  for (const name of ['ended', 'destroyed']) for (let i = 0; i < 2; i++) t.strictSame(await ask(`/cached/${name}`), await ask(`/plain/${name}`), name)
})

for (const body of ['a text', 'a stream']) {
  for (const leaves of [false, true]) {
    t.test(`H1: ${body} that is given a cookie by a slow hook is not stored${leaves ? ', also when its client has left' : ''}`, async t => {
      const { app, get } = await appInTime(t)
      const hold = gate()
      let runs = 0
      let drained = Promise.resolve<unknown>(undefined)
      app.addHook('onSend', async (request, reply) => {
        if (request.headers['x-slow'] === undefined) return
        await hold.pass()
        reply.header('set-cookie', 'token=1')
      })
      app.get('/', cached, async (_, reply) => {
        const source = Readable.from([`token ${++runs}`])
        if (body === 'a stream') drained = once(source, 'close')
        return reply.type('text/plain').send(body === 'a stream' ? source : `token ${runs}`)
      })
      const address = await app.listen({ port: 0, host: '127.0.0.1' })
      const closed = new Promise<void>(resolve => { app.server.once('request', (_, response: ServerResponse) => response.once('close', resolve)) })
      const asked = request(address, { headers: { 'x-slow': '1' }, agent: false }).on('error', () => undefined).on('response', answer => answer.resume()).end()
      await hold.reached
      await drained
      if (leaves) {
        asked.destroy()
        await closed
      }
      hold.open()
      await closed
      const host = { host: new URL(address).host }
      t.match(await get('/', host), { state: 'MISS', body: 'token 2' })
      await until('what comes after it is stored', async () => (await get('/', host)).state === 'HIT')
      t.not((await get('/', host)).body, 'token 1')
    })
  }
}
