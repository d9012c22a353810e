import type { Features } from '@respite/redis'

/** A known fault of servers that concerns HyperLogLog. */
export interface Advisory {
  readonly id: string
  readonly what: string
  /** Versions that mend it, one for each series of releases that was mended, such as `7.2.10`. */
  readonly mended: readonly string[]
}

type Version = readonly [number, number, number]

interface Fault extends Advisory {
  readonly servers: readonly string[]
  /** From the first version that has it up to, but without, the one that mends it. */
  readonly affected: readonly (readonly [Version, Version])[]
}

const faults: readonly Fault[] = [
  {
    // https://github.com/redis/redis/security/advisories/GHSA-rp2m-q4j6-gr43; KeyDB answers with versions of Redis 6.3, and has not mended it.
    id: 'CVE-2025-32023',
    what: 'a crafted HyperLogLog makes the server write out of bounds',
    mended: ['6.2.19', '7.2.10', '7.4.5', '8.0.3'],
    servers: ['redis', 'keydb'],
    affected: [[[2, 8, 0], [6, 2, 19]], [[6, 3, 0], [7, 2, 10]], [[7, 3, 0], [7, 4, 5]], [[8, 0, 0], [8, 0, 3]]]
  },
  {
    // https://github.com/valkey-io/valkey/pull/2314
    id: 'CVE-2025-32023',
    what: 'a crafted HyperLogLog makes the server write out of bounds',
    mended: ['7.2.10', '8.0.4', '8.1.3'],
    servers: ['valkey'],
    affected: [[[7, 2, 0], [7, 2, 10]], [[8, 0, 0], [8, 0, 4]], [[8, 1, 0], [8, 1, 3]]]
  },
  {
    // https://github.com/redis/redis/pull/12924: resizing a string may leave a wrong type in its header, which HyperLogLog asserts. Since 7.0.9.
    id: 'CVE-2023-41056',
    what: 'resizing a string, as PFADD does, may corrupt memory or stop the server',
    mended: ['7.0.15', '7.2.4'],
    servers: ['redis'],
    affected: [[[7, 0, 9], [7, 0, 15]], [[7, 2, 0], [7, 2, 4]]]
  }
]

/**
 * Known faults of a server that concern HyperLogLog, by the version it names. A distributor may have mended one and kept the
 * version; a server that names none, or another kind of server, has none that is known.
 */
export function advisoriesOf ({ server, version }: Pick<Features, 'server' | 'version'>): Advisory[] {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) as unknown as Version | undefined
  if (parts === undefined) return []
  return faults
    .filter(({ servers, affected }) => servers.includes(server) && affected.some(([from, to]) => compare(parts, from) >= 0 && compare(parts, to) < 0))
    .map(({ id, what, mended }) => ({ id, what, mended }))
}

const compare = (a: Version, b: Version) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
