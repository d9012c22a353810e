/** Every metric of the invalidator. */
export const metrics = {
  events: {
    kind: 'counter',
    name: 'invalidator_events_total',
    help: 'Changes told to the invalidator, by strategy and where they came from: create, update, delete, mutate, route, message, malformed, gap.',
    labels: ['strategy', 'event']
  },
  warmUps: { kind: 'counter', name: 'invalidator_warm_ups_total', help: 'Entries of warm-ups, by outcome: loaded, unstored, failed, skipped.', labels: ['outcome'] }
} as const
