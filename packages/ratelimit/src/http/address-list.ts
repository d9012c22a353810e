import type { ClientIp } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { BlockList, isIP } from 'node:net'
import { inspect } from 'node:util'

/** Whether a request comes from one of the addresses. */
export type AddressTest = (request: FastifyRequest, clientIp: ClientIp) => boolean

/** Makes the error for an entry that is no address and no range. */
type EntryError = new (index: number, entry: string) => Error

const familyOf = (address: string) => isIP(address) === 6 ? 'ipv6' : 'ipv4'

/**
 * Makes the test whether a request comes from one of these addresses and ranges; undefined where there are none.
 * @throws an `EntryInvalid`, for an entry that is no address and no range
 */
export function addressList (entries: readonly string[], EntryInvalid: EntryError): AddressTest | undefined {
  if (entries.length === 0) return undefined
  // Node's name for a list of addresses, whatever it is used for.
  const list = new BlockList()
  entries.forEach((entry, i) => {
    const [address, bits, ...rest] = entry.split('/')
    // A zone belongs to one machine's interface: addresses of clients have none.
    const most = address!.includes('%') ? -1 : { 0: -1, 4: 32, 6: 128 }[isIP(address!)]!
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN
    if (most === -1 || rest.length > 0 || !(length <= most)) throw new EntryInvalid(i, inspect(entry, { maxStringLength: 60 }))
    list.addSubnet(address!, length, familyOf(address!))
  })
  return (request, clientIp) => {
    const address = clientIp.of(request)
    return isIP(address) !== 0 && list.check(address, familyOf(address))
  }
}
