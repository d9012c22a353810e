import type { Owner } from '../owner.ts'
import { visitorPrefix } from '../token.ts'

/**
 * Where an owner's sessions lie: 126 bits of its SHA-256. It follows from the owner, so that there is no name in Redis that could be lost,
 * and with it the count of a user's sessions.
 */
export function roomOf (owner: string): string {
  return owner.slice(0, 21)
}

/** The room that a token's tag names. */
export function roomOfTag (tag: string): string {
  return tag.slice(1)
}

/** The tag of an owner's tokens. */
export function tagOf ({ owner, userId }: Owner): string {
  return (userId === undefined ? visitorPrefix : '-') + roomOf(owner)
}
