import type { KeyShape, Keyspace } from '@respite/redis'

/** Every key of the cache in Redis. */
export const keys = {
  val: {
    template: 'val:<ns>:{<key>}',
    holds: 'one entry, a string: version byte, id (12 bytes), soft expiry (13 digits), nonces of namespace and tags, codec and compression, cost, time to live, etag, bytes',
    expires: 'with the entry'
  },
  lease: {
    template: 'lease:<ns>:{<key>}',
    holds: 'who fills the entry: `T:<token>`, or how the last fill ended: `F:<token>` failed, `S:<token>` skipped',
    expires: "after option 'lease'"
  },
  tag: {
    template: 'tag:{<ns>:<tag>}',
    holds: "a hash: the tag's nonce, and where its last bump lies on the namespace's clock (`g`, `s`)",
    expires: 'a day after the last entry that may carry it, at the earliest'
  },
  ns: {
    template: 'ns:{<ns>}',
    holds: "the namespace's nonce, a string; a new one clears the namespace",
    expires: '400 days after it was made; raised by fills'
  },
  clk: {
    template: 'clk:{<ns>}',
    holds: 'a hash: generation and counter of the bumps in a namespace',
    expires: '400 days after the last bump'
  }
} as const

/** The shapes of the keys under one prefix. */
export type Shapes = Readonly<Record<keyof typeof keys, KeyShape>>

/** The key shapes in an app's key space. */
export function cacheShapes (keyspace: Keyspace): Shapes {
  return Object.freeze({
    val: keyspace.define(keys.val.template),
    lease: keyspace.define(keys.lease.template),
    tag: keyspace.define(keys.tag.template),
    ns: keyspace.define(keys.ns.template),
    clk: keyspace.define(keys.clk.template)
  })
}

/** The keys of one namespace. */
export class Places {
  readonly ns: string
  readonly shapes: Shapes
  readonly nsKey: string
  readonly clkKey: string

  constructor (shapes: Shapes, ns: string) {
    this.shapes = shapes
    this.ns = ns
    this.nsKey = shapes.ns.key(ns)
    this.clkKey = shapes.clk.key(ns)
  }

  val (key: string): string {
    return this.shapes.val.key(this.ns, key)
  }

  lease (key: string): string {
    return this.shapes.lease.key(this.ns, key)
  }

  tag (tag: string): string {
    return this.shapes.tag.key(this.ns, tag)
  }
}
