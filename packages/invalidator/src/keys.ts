/** Every key in Redis that this package uses. What it drops is the cache's, and its events are the bus's. */
export const keys = {
  version: {
    template: 'version:{<entity>:<id>}',
    holds: 'the last version an entity was given, µs since the epoch or one more than the one before; the one that is current lies in the cache',
    expires: "after option 'versionTtl', anew with each version"
  }
} as const
