import type { FastifyRequest } from 'fastify'
import { isIP } from 'node:net'
import { type Passes, passesOf } from './passes.ts'

/** Until when somebody may look; undefined: not at all. */
export type Access = (request: FastifyRequest) => number | undefined

// A name that an attacker's page has pointed at this machine is none of these.
const ownHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i
// Whatever a proxy adds: behind one, everybody comes from loopback.
const forwarding = /^(forwarded(-.+)?|via|cdn-loop|proxy-.+|x-(forwarded|original|real|proxy|proxied|envoy|arr|azure|remote)(-.+)?|x-host|x-scheme|(.+-)?(client|connecting|user|remote)-?ip)$/
// What a bare `proxy_pass` of nginx gives away: its Host is that of this server, but it speaks as no browser does.
const browsersSpeak = '1.1'

/**
 * Who may see the dashboard: whoever sits at this machine, and whoever has shown the token.
 * @param passes - undefined where there is no token
 */
export function accessBy (passes: Passes | undefined): Access {
  return request => {
    if (isLocal(request)) return Infinity
    return passes && passesOf(request).map(pass => passes.validUntilMs(pass)).find(untilMs => untilMs !== undefined)
  }
}

/** Whether a request was made at this machine, straight to this server and under a name of its own. */
export function isLocal ({ raw: { socket, headers, httpVersion } }: FastifyRequest): boolean {
  if (!isLoopback(socket.remoteAddress ?? '') || !ownHost.test(headers.host ?? '')) return false
  return httpVersion === browsersSpeak && !Object.keys(headers).some(name => forwarding.test(name))
}

/** Whether a page of another origin has made the browser ask. */
export function isFromElsewhere ({ headers, host }: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = headers
  // No page can set it, and no proxy that gives the server another Host makes it wrong.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === withoutDefaultPort(host))
}

const withoutDefaultPort = (host: string) => URL.canParse(`http://${host}`) ? new URL(`http://${host}`).host : host

function isLoopback (address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}
