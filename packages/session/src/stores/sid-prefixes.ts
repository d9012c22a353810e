/** What the public ids of sessions begin with that another library has made; ours are base64url, and begin with neither prefix. */
export const peerPrefix = '.'
/** What the public id of a row begins with that is no session, but keeps an id that has ended from being made again. */
export const tombstonePrefix = '!'

export const isPeer = (sid: string) => sid.startsWith(peerPrefix)
export const isTombstone = (sid: string) => sid.startsWith(tombstonePrefix)
