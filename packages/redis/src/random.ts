import { randomBytes, randomFillSync } from 'node:crypto'

// Drawn in blocks: a call of the system's generator costs about a microsecond, whatever the size.
const pool = Buffer.alloc(3_072)
let used = pool.length

/**
 * A token nobody can guess or meet again: 96 random bits.
 * @returns 16 characters of base64url
 */
export function randomToken (): string {
  if (used + 12 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 12
  return pool.toString('base64url', used - 12, used)
}

/**
 * Random bytes for secrets, straight from the system's generator.
 * @param bytes - how many
 */
export function randomSecret (bytes: number): Buffer {
  return randomBytes(bytes)
}

/** Chance as a port: a number in [0, 1), for jitter and sampling; never for secrets. */
export type Chance = () => number

/** The chance of this process. */
export const systemChance: Chance = () => Math.random()
