/** Every metric of this package. */
export const metrics = {
  decisions: {
    kind: 'counter',
    name: 'rate_limit_decisions_total',
    help: 'Decisions by limit, route and outcome: allowed, refused, would_refuse (in shadow mode), unchecked (the store was away and the limit is open) or unavailable (it is closed)',
    labels: ['limit', 'route', 'decision']
  },
  exceeded: {
    kind: 'counter',
    name: 'rate_limit_exceeded_total',
    help: 'Requests and calls that a limit refused, by limit and route',
    labels: ['limit', 'endpoint']
  },
  denied: { kind: 'counter', name: 'rate_limit_denied_total', help: 'Requests from addresses of the deny list', labels: [] },
  storeErrors: {
    kind: 'counter',
    name: 'rate_limit_store_errors_total',
    help: 'Checks that the store did not answer in time or at all',
    labels: []
  },
  keys: { kind: 'gauge', name: 'rate_limit_memory_keys', help: 'Subjects counted in the memory of this process', labels: [] },
  blocks: { kind: 'counter', name: 'rate_limit_blocks_total', help: 'Blocks by hand, by limit', labels: ['limit'] },
  slots: { kind: 'gauge', name: 'rate_limit_slots_held', help: 'Slots of concurrency limits that this process holds', labels: [] }
} as const
