/** Every key of this package in Redis. All keys of a subject lie in one slot. */
export const keys = {
  state: {
    template: 'limit:{<subject>}:<limit>',
    holds: 'string: what a limit has admitted of a subject, in the form of its algorithm (`lua/limits.lua`); the subject is 132 bits of SHA-256 of an address, a user or a key',
    expires: 'when it says nothing any more: at most 16/15 of the window, of a log at least a second more than it, after the last admission; with gcra when its burst is whole again'
  },
  hits: {
    template: 'hits:{<subject>}:<counter>',
    holds: 'string: hits of a key since its window began, for `@respite/ratelimit/compat`; the counter is its `nameSpace` with the route or the group',
    expires: 'when the window ends'
  },
  change: {
    template: 'limit-change:{changes}:<limit>',
    holds: 'string: what a limit was changed to at run time, as JSON: limit, per in ms, burst',
    expires: 'a day after the last process that has the limit was there'
  },
  ban: {
    template: 'ban:{<subject>}:<limit>',
    holds: 'string: of a limit with `ban`, when its window of refusals began and how many there were, how many bans and until when the last',
    expires: 'with the window of the refusals; after a ban when it is over and as long as the longest has passed'
  }
} as const
