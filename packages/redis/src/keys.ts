/** Every name in Redis that this package uses. Channels hold nothing: they are listed because they lie in the key space. */
export const keys = {
  bus: { template: 'bus:{<topic>}', holds: 'a channel: the messages of a topic of the bus', expires: 'never stored' },
  stream: { template: 'stream:{<bucket>}:<topic>', holds: 'stream: the messages of a durable topic; the bucket is one of 16 by the topic', expires: '`bus.keepMs` after the last message, or as the topic says' },
  streamLast: { template: 'stream:{<bucket>}:<topic>:last', holds: 'string: the id of its last message', expires: '30 days after the stream: numbers must not begin anew before whoever read them has gone' },
  queue: { template: 'queue:{<bucket>}:<name>', holds: 'stream: the jobs of a queue that wait or are at work, with the consumer group `workers`', expires: '`keep` of the queue after the last job, or after the last worker left' },
  queueDead: { template: 'queue:{<bucket>}:<name>:dead', holds: 'stream: the jobs that were given up', expires: '`keep` of the queue after the last one' }
} as const
