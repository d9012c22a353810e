import fastify from 'fastify'
import { createServer, request as httpRequest } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import t from 'tap'
import type { FastifyRequest } from 'fastify'
import { type ClientIpOptions, createClientIp } from '../src/client-ip.ts'

const silent = { warn: () => {} } as never

/** A request from an address, with the headers a proxy or an attacker would write. */
function from (remoteAddress: string | undefined, xForwardedFor?: string | string[], { ip = remoteAddress, destroyed = false } = {}): FastifyRequest {
  return { ip, raw: { socket: { remoteAddress, destroyed }, headers: { 'x-forwarded-for': xForwardedFor } } } as unknown as FastifyRequest
}

const finder = (options: Partial<ClientIpOptions> = {}, log = silent) => createClientIp({ trust: [], ipv6Prefix: 64, ...options }, log)

t.test('believes no header of an untrusted peer, loopback included', async t => {
  const clients = finder()
  t.equal(clients.of(from('127.0.0.1', '1.2.3.4')), '127.0.0.1')
  t.equal(clients.of(from('203.0.113.9', '1.2.3.4')), '203.0.113.9')
})

t.test('walks from the right through trusted ranges only', async t => {
  const clients = finder({ trust: ['loopback', '10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.7'] })
  const cases: [string, string, string][] = [
    ['127.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['127.0.0.1', '6.6.6.6, 1.2.3.4, 10.1.1.1', '1.2.3.4'],
    ['10.9.9.9', '6.6.6.6,1.2.3.4,192.0.2.7', '1.2.3.4'],
    ['10.9.9.9', '1.2.3.4, 192.0.2.8', '192.0.2.8'],
    ['2001:db8:ffff::1', '2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['127.0.0.1', '1.2.3.4:5678', '1.2.3.4'],
    ['127.0.0.1', '[2001:db8::5]:443', '2001:db8::5'],
    ['127.0.0.1', '[2001:db8::5]', '2001:db8::5']
  ]
  for (const [peer, chain, expected] of cases) t.equal(clients.of(from(peer, chain)), expected, `${peer} < ${chain}`)
})

t.test('an entry that is no address ends the walk at whoever wrote it', async t => {
  const clients = finder({ trust: ['loopback', '10.0.0.0/8'] })
  for (const bad of ['', ' ', 'unknown', '_hidden', '0x7f.1', '1', '1.2.3', '01.2.3.4', '1.2.3.4.5', '[', ']', '[]', ':', '::ffff:999.1.1.1', 'ü', '\u0000', '1.2.3.4;5']) {
    t.equal(clients.of(from('127.0.0.1', bad)), '127.0.0.1', JSON.stringify(bad))
    t.equal(clients.of(from('127.0.0.1', `9.9.9.9, ${bad}, 10.0.0.5`)), '10.0.0.5', JSON.stringify(bad))
  }
})

t.test('long and doubled headers are survived', async t => {
  const clients = finder({ trust: ['loopback', '10.0.0.0/8'] })
  t.equal(clients.of(from('127.0.0.1', `${'a'.repeat(10_240)}, 1.2.3.4`)), '1.2.3.4')
  t.equal(clients.of(from('127.0.0.1', '6.6.6.6, '.repeat(1_000) + '1.2.3.4')), '1.2.3.4')
  t.equal(clients.of(from('127.0.0.1', ','.repeat(10_240))), '127.0.0.1')
  t.equal(clients.of(from('127.0.0.1', '1.2.3.4, ' + '10.0.0.1, '.repeat(1_000) + '10.0.0.2')), '10.0.0.1')
  t.equal(clients.of(from('127.0.0.1', ['6.6.6.6', '1.2.3.4'])), '1.2.3.4')
})

t.test('one client has one name, however its address is written', async t => {
  const clients = finder({ trust: ['loopback', '::ffff:10.0.0.0/104'] })
  for (const peer of ['::ffff:1.2.3.4', '1.2.3.4', '::FFFF:0102:0304', '64:ff9b::1.2.3.4', '64:ff9b::102:304']) t.equal(clients.of(from(peer)), '1.2.3.4', peer)
  t.equal(clients.of(from('fe80::1%eth0')), 'fe80::1')
  t.equal(clients.of(from('::ffff:127.0.0.1', '::ffff:1.2.3.4, ::ffff:10.1.2.3')), '1.2.3.4')
  t.equal(clients.of(from('2001:0DB8:0000:0000:0001:0000:0000:0001')), '2001:db8::1:0:0:1')
})

t.test('limits count an IPv6 client by its prefix, an IPv4 client whole', async t => {
  t.equal(finder().subject(from('2001:db8:1:2:3:4:5:6')), '2001:db8:1:2::/64')
  t.equal(finder().subject(from('2001:db8:1:2:ffff::9')), '2001:db8:1:2::/64')
  t.equal(finder({ ipv6Prefix: 48 }).subject(from('2001:db8:1:2::9')), '2001:db8:1::/48')
  t.equal(finder({ ipv6Prefix: 60 }).subject(from('2001:db8:1:ff::9')), '2001:db8:1:f0::/60')
  t.equal(finder({ ipv6Prefix: 128 }).subject(from('2001:db8::9')), '2001:db8::9/128')
  t.equal(finder().subject(from('::ffff:1.2.3.4')), '1.2.3.4')
})

t.test('a Unix socket has one stable name, and is a proxy only by name; a socket that is gone is nobody\'s', async t => {
  t.equal(finder().of(from(undefined, '1.2.3.4')), 'unix')
  t.equal(finder({ trust: ['unix'] }).of(from(undefined, '1.2.3.4')), '1.2.3.4')
  t.equal(finder({ trust: ['unix'] }).of(from(undefined, '1.2.3.4', { destroyed: true })), 'gone')
})

t.test('an entry of trust that is no address, range or name is refused with its text', async t => {
  for (const bad of ['', 'nowhere', '10.0.0.0/33', '10.0.0.0/', '::/129', '10.0.0.0/-1', '1.2.3', 'fe80::1/64/3', '10.0.0.0/8x', 'constructor']) {
    t.throws(() => finder({ trust: [bad] }), { code: 'FST_RSP_CLIENT_IP_TRUST', message: new RegExp(`'${bad}'`) }, bad)
  }
})

t.test('says once why the address differs from request.ip, and never for another spelling of the same', async t => {
  const said: string[] = []
  const log = { warn: (_: object, text: string) => said.push(text) } as never
  const untrusting = finder({}, log)
  untrusting.of(from('::ffff:10.0.0.1', '1.2.3.4', { ip: '10.0.0.1' }))
  untrusting.of(from('10.0.0.1', undefined, { ip: '10.0.0.1' }))
  t.same(said, [])
  untrusting.of(from('10.0.0.1', '1.2.3.4', { ip: '1.2.3.4' }))
  untrusting.of(from('10.0.0.2', '1.2.3.5', { ip: '1.2.3.5' }))
  t.equal(said.length, 1)
  t.match(said[0], /clientIp\.trust does not name the proxy.*trustProxy/)
  finder({ trust: ['10.0.0.0/8'] }, log).of(from('10.0.0.1', '1.2.3.4', { ip: '10.0.0.1' }))
  t.equal(said.length, 2)
  t.match(said[1], /X-Forwarded-For by clientIp\.trust.*trustProxy/)
})

t.test('over real sockets: TCP of both families, doubled headers, and a Unix socket', async t => {
  const clients = finder({ trust: ['unix', 'loopback'] })
  const app = fastify()
  app.get('/', async request => clients.of(request))
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n\r\n')
  let answer = ''
  for await (const bytes of socket) answer += String(bytes)
  t.match(answer, /\r\n\r\n1\.2\.3\.4$/)

  const dir = mkdtempSync(join(tmpdir(), 'respite-ip-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const socketPath = join(dir, 's')
  const server = createServer((request, response) => { response.end(clients.of({ raw: request, ip: undefined } as unknown as FastifyRequest)) })
  server.listen(socketPath)
  await once(server, 'listening')
  t.teardown(() => server.close())
  for (const [headers, expected] of [[{}, 'unix'], [{ 'x-forwarded-for': '1.2.3.4' }, '1.2.3.4']] as const) {
    const asked = httpRequest({ socketPath, headers, agent: false }).end()
    const [response] = await once(asked, 'response')
    let body = ''
    for await (const bytes of response) body += String(bytes)
    t.equal(body, expected)
  }
})
