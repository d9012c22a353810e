/** Every metric of this package, named once. */
export const metrics = {
  busMessages: {
    kind: 'counter',
    name: 'bus_messages_total',
    help: 'Messages of the bus, by what became of them: published, failed, received, malformed, version',
    labels: ['outcome']
  },
  streamMessages: {
    kind: 'counter',
    name: 'bus_stream_messages_total',
    help: 'Messages of durable topics, by what became of them: published, failed, received, malformed, version',
    labels: ['outcome']
  },
  busInvalid: { kind: 'counter', name: 'bus_invalid_messages_total', help: 'Messages that did not fit the schema of their topic, by direction: out, in', labels: ['direction'] },
  queueJobs: {
    kind: 'counter',
    name: 'bus_queue_jobs_total',
    help: 'Jobs by queue and by what became of them: added, full, done, failed, deadline, taken (another worker has it), reclaimed, dead, malformed, invalid',
    labels: ['queue', 'outcome']
  },
  queueRunning: { kind: 'gauge', name: 'bus_queue_jobs_running', help: 'Jobs at work in this process, by queue', labels: ['queue'] },
  busGaps: { kind: 'counter', name: 'bus_gaps_total', help: 'Times listeners of the bus were told that messages may be missing, by reason', labels: ['reason'] },
  busInstances: { kind: 'gauge', name: 'bus_instances', help: 'Instances of the app heard of in the last minute, this one included', labels: [] },
  invalidatedKeys: { kind: 'counter', name: 'invalidated_keys_total', help: 'Keys that the server or another instance said have changed', labels: [] },
  invalidationLosses: {
    kind: 'counter',
    name: 'invalidation_losses_total',
    help: 'Times the word of the server was lost, and all process-local copies with it',
    labels: []
  },
  invalidationsArmed: { kind: 'gauge', name: 'invalidations_armed', help: '1 while process-local copies may be used', labels: [] },
  commandDuration: { kind: 'histogram', name: 'redis_command_duration_seconds', help: 'From sending a command, or a script by its name, to its answer or failure', labels: ['command'] },
  breakerState: { kind: 'gauge', name: 'redis_breaker_state', help: '0 closed, 1 half-open, 2 open', labels: [] },
  up: { kind: 'gauge', name: 'redis_up', help: '1 while commands are answered', labels: [] }
} as const
