/** What a server can do, probed once a connection, and for a Cluster what all of its masters can. */
export interface Features {
  /** Such as `redis`, `valkey`, `dragonfly`, `keydb`; `unknown` until probed. */
  readonly server: string
  /** Such as `7.0.15`. */
  readonly version: string
  readonly cluster: boolean
  /** Server-assisted invalidation: CLIENT TRACKING … BCAST. */
  readonly tracking: boolean
  /** SPUBLISH and SSUBSCRIBE. */
  readonly shardedPubSub: boolean
  /** Scripts may begin with `#!lua flags=…`. */
  readonly scriptFlags: boolean
  readonly increx: boolean
  readonly hsetex: boolean
  /** INFO shows run_id or master_replid, so that a restart or failover can be told. */
  readonly era: boolean
  /** `maxmemory-policy`, of a Cluster that of the first master that evicts, if one does; undefined where it is not shown. */
  readonly maxmemoryPolicy: string | undefined
}

/** What is assumed before the first probe. */
export const noFeatures: Features = Object.freeze({
  server: 'unknown',
  version: '0',
  cluster: false,
  tracking: false,
  shardedPubSub: false,
  scriptFlags: false,
  increx: false,
  hsetex: false,
  era: false,
  maxmemoryPolicy: undefined
})
