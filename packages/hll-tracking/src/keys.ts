/** Every key of this package in Redis. All keys of a metric lie in one slot. */
export const keys = {
  registers: {
    template: 'track:{<metric>}:u:<keyId>:<bucket>',
    holds: 'distinct ids of a bucket, HyperLogLog; its elements are 8 bytes of HMAC-SHA-256 under the key that keyId names',
    expires: 'minutes 120 minutes, hours 72 hours, days 400 days after their end (options keepMinutesMs, keepHoursMs, keepDaysMs), and a minute'
  },
  few: {
    template: 'track:{<metric>}:f:<keyId>:<bucket>',
    holds: 'the same ids while they are at most 256, 8 bytes each; gone once they are more',
    expires: 'with the registers'
  },
  top: {
    template: 'track:{<metric>}:t:<bucket>',
    holds: 'sorted set, the most frequent ids of a bucket (encrypted, or plain by option) and their calls; bucket `all` is the all-time total',
    expires: 'with the bucket; `all` keepDaysMs after the last event'
  },
  calls: {
    template: 'track:{<metric>}:c:<bucket>',
    holds: 'hash: `#` the calls of a bucket, `@…` those of each key or form of ids, `<` the most calls an id absent from the top may have had, and for members of the top by how much they may be over',
    expires: 'with the bucket; `all` keepDaysMs after the last event'
  },
  scratch: {
    template: 'track:{<metric>}:x',
    holds: 'a union of buckets, HyperLogLog, within the script that reads it',
    expires: 'removed by the script that made it'
  },
  mark: {
    template: 'track:{<metric>}:o:<origin>',
    holds: 'string, the sequence of the last flush of a process',
    expires: '25 hours after its last flush'
  },
  erased: {
    template: 'track:{<metric>}:e',
    holds: 'sorted set, ids that were erased (8 bytes of HMAC-SHA-256 each) and when, at most 10,000: batches that come later leave them out',
    expires: '25 hours after the last erasure'
  },
  names: {
    template: 'track:names',
    holds: 'sorted set, the names of metrics and when each was last noted, at most 100,000',
    expires: 'keepDaysMs and three days after the last event of any; a name as long after its own'
  }
} as const
