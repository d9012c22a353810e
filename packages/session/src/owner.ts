import { hash } from 'node:crypto'
import { inspect } from 'node:util'
import { FST_RSP_SESSION_USER_INVALID } from './errors.ts'

/** Whose a session is: a user's, or a visitor's, which owns nothing but that session. */
export interface Owner {
  /** base64url SHA-256 over `u`, NUL and the user's id, or over `a`, NUL and the session's public id. */
  readonly owner: string
  /** Undefined for a visitor. */
  readonly userId: string | undefined
}

const digest = (text: string) => hash('sha256', text, 'base64url')

/** @throws FST_RSP_SESSION_USER_INVALID */
export function ownerOfUser (userId: string): Owner {
  if (typeof userId !== 'string' || userId.length < 1 || userId.length > 191 || userId.includes('\0') || !userId.isWellFormed()) {
    throw new FST_RSP_SESSION_USER_INVALID(inspect(userId, { maxStringLength: 40, depth: 0 }))
  }
  return { owner: digest(`u\0${userId}`), userId }
}

/** The owner of a visitor's session. */
export function ownerOfVisitor (sid: string): Owner {
  return { owner: digest(`a\0${sid}`), userId: undefined }
}

/** The owner of a session that was found. */
export function ownerOf (session: { userId: string | undefined, sid: string }): Owner {
  return session.userId === undefined ? ownerOfVisitor(session.sid) : ownerOfUser(session.userId)
}
