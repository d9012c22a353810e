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
  delayed: { kind: 'counter', name: 'rate_limit_delayed_total', help: 'Requests that waited for room, by limit', labels: ['limit'] },
  waiting: { kind: 'gauge', name: 'rate_limit_waiting', help: 'Requests that wait for room', labels: [] },
  shed: { kind: 'counter', name: 'rate_limit_shed_total', help: 'Refusals for headroom alone: the limit had room, but this process was busy', labels: ['limit'] },
  load: { kind: 'gauge', name: 'rate_limit_load', help: 'How busy this process is, 0 to 1, as limits with `load` see it', labels: [] },
  leaseUnits: {
    kind: 'counter',
    name: 'rate_limit_lease_units_total',
    help: 'Units of limits with `lease`, by what became of them: granted (charged ahead of the requests), spent (without a question to Redis) or returned (unspent); the rest is held or was lost',
    labels: ['limit', 'event']
  },
  leaseAnswers: { kind: 'counter', name: 'rate_limit_lease_answers_total', help: 'Checks of limits with `lease` that were answered without Redis, by limit', labels: ['limit'] },
  blocks: { kind: 'counter', name: 'rate_limit_blocks_total', help: 'Blocks by hand, by limit', labels: ['limit'] },
  slots: { kind: 'gauge', name: 'rate_limit_slots_held', help: 'Slots of concurrency limits that this process holds', labels: [] }
} as const
