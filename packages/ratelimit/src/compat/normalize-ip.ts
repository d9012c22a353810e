import { isIPv6 } from 'node:net'

const groups = 8
const groupBits = 16

/**
 * An address as limits count it: IPv4 as it is, also one that IPv6 carries (`::ffff:192.0.2.1`, `64:ff9b::192.0.2.1`),
 * IPv6 in its canonical form, cut to its prefix.
 * @param ipv6Subnet - bits of an IPv6 address that make one client, 0 to 128. @default 64
 */
export function normalizeIP (ip: string, ipv6Subnet = 64): string {
  if (!isIPv6(ip)) return ip.toLowerCase()
  const words = wordsOf(ip)
  const carried = carriedIPv4(words)
  if (carried !== undefined) return carried
  const kept = words.map((word, i) => {
    const bits = Math.min(groupBits, Math.max(0, ipv6Subnet - i * groupBits))
    return word & (0xffff << (groupBits - bits)) & 0xffff
  })
  return canonical(kept.map(word => word.toString(16)).join(':'))
}

/** The URL standard's serializer writes IPv6 as RFC 5952 wants it. */
const canonical = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)

function wordsOf (ip: string): number[] {
  // A zone belongs to one machine's interface.
  const [head, tail] = canonical(ip.split('%')[0]!).split('::')
  const read = (part: string | undefined) => part ? part.split(':').map(word => Number.parseInt(word, 16)) : []
  const [before, after] = [read(head), read(tail)]
  return [...before, ...new Array<number>(groups - before.length - after.length).fill(0), ...after]
}

function carriedIPv4 (words: readonly number[]): string | undefined {
  const prefix = words.slice(0, 6).join(':')
  const isMapped = prefix === `0:0:0:0:0:${0xffff}`
  // RFC 6052: clients behind a NAT64 are not one client.
  const isNat64 = prefix === `${0x64}:${0xff9b}:0:0:0:0`
  if (!isMapped && !isNat64) return undefined
  return words.slice(6).flatMap(word => [word >> 8, word & 0xff]).join('.')
}
