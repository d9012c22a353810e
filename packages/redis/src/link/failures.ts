import { FST_RSP_REDIS_CLOSED, FST_RSP_REDIS_DOWN, FST_RSP_REDIS_LOST, FST_RSP_REDIS_REPLY, FST_RSP_REDIS_TIMEOUT, type LinkError } from '../errors.ts'

// The server repeats what it did not understand, which may be a value.
const withArgs = /, with args beginning with:.*/s
const notSent = { outcome: 'not-sent' as const }
const unknown = { outcome: 'unknown' as const }

export const down = (name: string): LinkError => Object.assign(new FST_RSP_REDIS_DOWN(name), notSent)
export const closed = (name: string): LinkError => Object.assign(new FST_RSP_REDIS_CLOSED(name), notSent)
export const fromReplica = (name: string): LinkError => Object.assign(new FST_RSP_REDIS_REPLY(name, 'READONLY the server is a replica'), { outcome: 'refused' as const, reply: 'READONLY' })
export const timedOut = (name: string, ms: number): LinkError => Object.assign(new FST_RSP_REDIS_TIMEOUT(name, ms), unknown)

/** What an adapter's error means. */
export function failureOf (name: string, error: Error): LinkError {
  const reply = replyOf(error)
  if (reply !== undefined) return Object.assign(new FST_RSP_REDIS_REPLY(name, wordsOf(error)), { outcome: 'refused' as const, reply, cause: error })
  if (error instanceof FST_RSP_REDIS_DOWN) return down(name)
  return Object.assign(new FST_RSP_REDIS_LOST(name), unknown, { cause: error })
}

const replyNames = new Set(['ReplyError', 'ErrorReply', 'SimpleError', 'BlobError'])

// What a command within a script is refused with: before Redis 7, and on Dragonfly, it stands behind the script's own error.
const ofScript = /^-?ERR Error running script \(call to \w+\): (?:@user_script: ?\d+: )+-?(?=[A-Z][A-Z0-9]* )/

/** The first word of an error by which the server has answered; undefined for any other. Told by name: the class is the client's. */
export function replyOf (error: Error): string | undefined {
  if (!replyNames.has(error.name) && !replyNames.has(error.constructor.name)) return undefined
  return /^-?([A-Z][A-Z0-9]*)/.exec(error.message.replace(ofScript, ''))?.[1] ?? 'ERR'
}

/** Whether the server has no such command, or none for this user: the next call would fare no better. */
export function isForbidden (error: Error): boolean {
  const reply = replyOf(error)
  return reply === 'NOPERM' || (reply !== undefined && /unknown (?:sub)?command/i.test(error.message))
}

/** What a server has said, without what it was sent. */
export const wordsOf = (error: Error) => error.message.replace(withArgs, '')

/** Why there is no connection, in words fit for a log. */
export function reasonOf (error: Error | undefined): string | undefined {
  if (error === undefined) return undefined
  const { code, errors } = error as { code?: string, errors?: Error[] }
  // An attempt on several addresses of one name fails with all of their errors and no word of its own.
  return withoutSecrets(error.message || (errors?.[0]?.message ?? code ?? error.name))
}

const withoutSecrets = (text: string) => text.replace(/\/\/[^@/\s]*@/g, '//***@')
