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
  }
} as const
