/** Every metric of this package. */
export const metrics = {
  events: { kind: 'counter', name: 'tracking_events_total', help: 'Events taken into the buffer.', labels: [] },
  dropped: {
    kind: 'counter',
    name: 'tracking_dropped_total',
    help: 'Events that were not counted: nobody to count, buffer full, or never taken by the store.',
    labels: []
  }
} as const
