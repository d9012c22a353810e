/** Every metric of this package, named once. */
export const metrics = {
  events: {
    kind: 'counter',
    name: 'session_events_total',
    help: 'What happened to sessions: created, renewed, rotated, revoked, expired, lost, reuse; and where requests found theirs: hit, miss, dead, fallback, forged',
    labels: ['event']
  },
  active: {
    kind: 'gauge',
    name: 'session_active',
    help: 'Sessions alive in the durable store, counted at most every 10 s',
    labels: []
  }
} as const
