/** Every Redis key of this package. All keys of a user share the hash tag `{<tag>}`, so that one script reaches them in a Cluster. */
export const keys = {
  gate: {
    template: 'session:{<tag>}:u',
    holds: "A user's gate: hash n (lineage, 96 random bits), g (count of revokes, logins and rotations), e (era of the data set)",
    expires: 'with the longest lived copy of the user, at least 10 s'
  },
  copy: {
    template: 'session:{<tag>}:s:<hash>',
    holds: 'A copy of a session: hash n (lineage), v (version), i (public id), o (user id), m (idle time of a remembered one, ms), c and r (marks), f:<name> (a field as JSON); with `data` other than through also q (sequence), w (there are marks) and d:<name> (mark: the row does not have this field); or only x, known to be dead. <hash> is the SHA-256 of the secret',
    expires: 'with the session: min(idle, absolute); a dead one after 60 s'
  },
  ledger: {
    template: 'session:{<room>}:ledger',
    holds: "With durable: 'none', a user's sessions: hash e (era of the data set), o (owner), u (user id), q (count of log-ins), r:<hash> (public id and times of a session as JSON). <room> is 126 bits of the SHA-256 of the user's id",
    expires: 'with the longest lived session of the user'
  },
  data: {
    template: 'session:{<room>}:data:<hash>',
    holds: "With durable: 'none', what is in a session: hash v (version), b (bytes), f:<name> (a field as JSON). <hash> is the SHA-256 of the secret",
    expires: 'with the session: min(idle, absolute)'
  },
  place: {
    template: 'session-place:<id>',
    holds: "With durable: 'none', whose the session with this public id is: SHA-256 of the user's id",
    expires: 'at the absolute end of the session'
  }
} as const
