/** Every name in Redis that this package uses. Channels hold nothing: they are listed because they lie in the key space. */
export const keys = {
  bus: { template: 'bus:{<topic>}', holds: 'a channel: the messages of a topic of the bus', expires: 'never stored' }
} as const
