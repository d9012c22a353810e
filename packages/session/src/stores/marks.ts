/** What the public ids of sessions begin with that another library has made; ours are base64url, and begin with neither mark. */
export const peerMark = '.'
/** What the public id of a row begins with that is no session, but keeps an id that has ended from being made again. */
export const endedMark = '!'

export const isPeer = (sid: string) => sid.startsWith(peerMark)
export const isEndedMark = (sid: string) => sid.startsWith(endedMark)
