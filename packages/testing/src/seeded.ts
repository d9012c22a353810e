import { randomInt } from 'node:crypto'

/** Chance that can be repeated. */
export interface Seeded {
  /** 32 random bits. */
  word (): number
  bytes (length: number): Buffer
  /** A whole number from 0 to n − 1. */
  below (n: number): number
}

/** A generator of its own for a randomised test; its seed is printed, and SEED repeats it. */
export function seeded (t: { comment (text: string): unknown }): Seeded {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 32 - 1))
  t.comment(`SEED=${seed}`)
  // xoshiro128** (Blackman, Vigna), filled by splitmix32.
  let fill = seed >>> 0
  const next = () => {
    fill = fill + 0x9e3779b9 | 0
    let z = Math.imul(fill ^ fill >>> 16, 0x21f0aaad)
    z = Math.imul(z ^ z >>> 15, 0x735a2d97)
    return z ^ z >>> 15
  }
  let [a, b, c, d] = [next(), next(), next(), next()]
  const word = () => {
    const product = Math.imul(b, 5)
    const result = Math.imul(product << 7 | product >>> 25, 9)
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = d << 11 | d >>> 21
    return result >>> 0
  }
  return {
    word,
    below: n => Math.floor(word() / 2 ** 32 * n),
    bytes (length) {
      const bytes = Buffer.alloc(length)
      for (let i = 0; i < length; i++) bytes[i] = word() >>> 24
      return bytes
    }
  }
}
