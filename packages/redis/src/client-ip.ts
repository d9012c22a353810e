import ipaddr from 'ipaddr.js'
import { isIP } from 'node:net'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { ClientIp } from './contracts.ts'
import { FST_RSP_CLIENT_IP_TRUST } from './errors.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = readonly [Address, number]

/** How a client's address is found. */
export interface ClientIpOptions {
  /**
   * The proxies whose X-Forwarded-For is believed: addresses, CIDR ranges, `loopback`, `private` (RFC 1918, RFC 4193,
   * link-local), or `unix` for a proxy on a Unix socket.
   * @default [] - nobody, not even loopback: whoever is trusted chooses the address its requests are counted under
   */
  trust: readonly string[]
  /** Bits of an IPv6 address that make one client: a household has a /64 or more. @default 64 */
  ipv6Prefix: number
}

/** An address, as it is written and as limits count it. */
interface Known { readonly address: string, readonly subject: string, readonly trusted: boolean }

const named = new Map([
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10']]
])
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
/** A chain longer than this is not walked to its end: no sane one is. */
const maxHops = 32
const longestRemembered = 256
const remembered = 10_000
/** Requests whose `request.ip` is looked at, to say once where it differs: reading it walks the header again. */
const compared = 1_000

const gone: Known = Object.freeze({ address: 'gone', subject: 'gone', trusted: false })

/**
 * Finds clients' addresses by the socket and our own trusted ranges; never by `request.ip`, whose rule
 * Fastify does not show to plugins.
 * @throws FST_RSP_CLIENT_IP_TRUST when an entry of `trust` is no address, range or name
 */
export function createClientIp (options: ClientIpOptions, log: Pick<FastifyBaseLogger, 'warn'>): ClientIp {
  const addresses = new Addresses(options, log)
  return { of: request => addresses.clientOf(request).address, subject: request => addresses.clientOf(request).subject }
}

class Addresses {
  readonly #ranges: readonly Range[]
  readonly #unix: Known
  readonly #ipv6Prefix: number
  readonly #log: Pick<FastifyBaseLogger, 'warn'>
  readonly #known = new LRUCache<string, Known>({ max: remembered })
  readonly #chains = new LRUCache<string, Known>({ max: remembered })
  #toCompare = compared

  constructor ({ trust, ipv6Prefix }: ClientIpOptions, log: Pick<FastifyBaseLogger, 'warn'>) {
    this.#ranges = trust.filter(entry => entry !== 'unix').flatMap(entry => named.get(entry) ?? [entry]).map(parseRange)
    this.#unix = { address: 'unix', subject: 'unix', trusted: trust.includes('unix') }
    this.#ipv6Prefix = ipv6Prefix
    this.#log = log
  }

  clientOf (request: FastifyRequest): Known {
    const peer = this.#peerOf(request)
    const header = request.raw.headers['x-forwarded-for']
    if (header === undefined) return peer
    const client = peer.trusted ? this.#behind(peer, typeof header === 'string' ? header : header.join(',')) : peer
    if (this.#toCompare > 0 && peer !== gone) this.#compare(request, { peer, client })
    return client
  }

  #peerOf (request: FastifyRequest): Known {
    const { socket } = request.raw
    const text = socket?.remoteAddress
    if (text !== undefined) return this.#know(text) ?? { address: text, subject: text, trusted: false }
    // A TCP socket that is gone has no address any more: it must not pass for a proxy on a Unix socket.
    return socket?.destroyed === false ? this.#unix : gone
  }

  #behind (peer: Known, chain: string): Known {
    if (chain.length > longestRemembered) return this.#walk(peer, chain)
    const name = `${peer.address} ${chain}`
    const known = this.#chains.get(name)
    if (known !== undefined) return known
    const client = this.#walk(peer, chain)
    this.#chains.set(name, client)
    return client
  }

  // From the right: each proxy appends whom it got the request from, so what a client has written itself is left of it.
  #walk (peer: Known, chain: string): Known {
    let client = peer
    let end = chain.length
    for (let hops = 0; client.trusted && end >= 0 && hops < maxHops; hops++) {
      const comma = end === 0 ? -1 : chain.lastIndexOf(',', end - 1)
      const next = this.#know(withoutPort(chain.slice(comma + 1, end).trim()))
      if (next === undefined) break // who wrote this is the last one known
      client = next
      end = comma
    }
    return client
  }

  #know (text: string): Known | undefined {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const address = parseAddress(text)
    if (address === undefined) return undefined
    const fresh = {
      address: address.toString(),
      subject: subjectOf(address, this.#ipv6Prefix),
      trusted: this.#ranges.some(range => within(address, range))
    }
    this.#known.set(text, fresh)
    return fresh
  }

  #compare (request: FastifyRequest, { peer, client }: { peer: Known, client: Known }): void {
    this.#toCompare--
    const theirs = request.ip
    if (theirs === undefined || theirs === client.address || this.#know(theirs)?.address === client.address) return
    this.#toCompare = 0
    this.#log.warn({ peerTrusted: peer.trusted }, peer.trusted
      ? 'the client address is taken from X-Forwarded-For by clientIp.trust, while request.ip is another: Fastify\'s trustProxy says otherwise'
      : 'the client address is the socket\'s, since clientIp.trust does not name the proxy, while request.ip is another by Fastify\'s trustProxy: limits count the proxy')
  }
}

function parseRange (entry: string): Range {
  const slash = entry.indexOf('/')
  const text = slash === -1 ? entry : entry.slice(0, slash)
  const bits = slash === -1 ? undefined : entry.slice(slash + 1)
  const family = isIP(text)
  const size = family === 4 ? 32 : 128
  if (family === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= size))) throw new FST_RSP_CLIENT_IP_TRUST(entry)
  const address = ipaddr.parse(text)
  const length = bits === undefined ? size : Number(bits)
  // Addresses are compared in their canonical form, so ranges must be in it too.
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && length >= 96) return [address.toIPv4Address(), length - 96]
  return [address, length]
}

function parseAddress (text: string): Address | undefined {
  const zone = text.indexOf('%')
  const plain = zone === -1 ? text : text.slice(0, zone)
  // Node's own check first: ipaddr.js also reads `0x7f.1` and `1`, which no proxy writes.
  if (plain.length > 45 || isIP(plain) === 0) return undefined
  const address = ipaddr.parse(plain)
  if (!(address instanceof ipaddr.IPv6)) return address
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  // RFC 6052: the last 32 bits are the IPv4 address of a client behind a NAT64.
  return address.match(nat64) ? new ipaddr.IPv4(address.toByteArray().slice(12)) : address
}

function subjectOf (address: Address, ipv6Prefix: number): string {
  if (!(address instanceof ipaddr.IPv6)) return address.toString()
  const bytes = address.toByteArray().map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, ipv6Prefix - i * 8))))
  return `${ipaddr.fromByteArray(bytes).toString()}/${ipv6Prefix}`
}

const within = (address: Address, [range, bits]: Range) => address.kind() === range.kind() && address.match(range, bits)

// `1.2.3.4:5678`, `[2001:db8::1]:443` and `[2001:db8::1]`, as some proxies write.
function withoutPort (text: string): string {
  if (text.startsWith('[')) return text.slice(1, Math.max(1, text.indexOf(']')))
  const colon = text.indexOf(':')
  return colon !== -1 && colon === text.lastIndexOf(':') ? text.slice(0, colon) : text
}
