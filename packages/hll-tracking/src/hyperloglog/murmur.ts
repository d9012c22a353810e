/** The seed with which Redis hashes the elements of a HyperLogLog. */
const seed = 0xadc83b19

// The multiplier 0xc6a4a7935bd1e995, in halves.
const mulHi = 0xc6a4a793
const mulLo = 0x5bd1e995
const mulLo0 = mulLo & 0xffff
const mulLo1 = mulLo >>> 16

/** A 64-bit number in two unsigned halves: BigInt would cost a microsecond an element. */
export interface Hash64 {
  hi: number
  lo: number
}

/**
 * MurmurHash64A with Redis' seed, as PFADD hashes its elements.
 * @param into - is overwritten with the hash
 * @see Redis, src/hyperloglog.c; A. Appleby, MurmurHash2, 64-bit version
 */
export function murmurHash64A (bytes: Uint8Array, into: Hash64): void {
  const length = bytes.length
  const whole = length - (length & 7)
  multiply(into, 0, length)
  into.lo = (into.lo ^ seed) >>> 0
  const word: Hash64 = { hi: 0, lo: 0 }
  for (let i = 0; i < whole; i += 8) {
    multiply(word, half(bytes, i + 4), half(bytes, i))
    word.lo = (word.lo ^ (word.hi >>> 15)) >>> 0 // h ^= h >>> 47
    multiply(word, word.hi, word.lo)
    multiply(into, (into.hi ^ word.hi) >>> 0, (into.lo ^ word.lo) >>> 0)
  }
  if (length > whole) {
    for (let i = length - 1; i >= whole; i--) {
      const at = i - whole
      if (at < 4) into.lo = (into.lo ^ (bytes[i]! << (8 * at))) >>> 0
      else into.hi = (into.hi ^ (bytes[i]! << (8 * (at - 4)))) >>> 0
    }
    multiply(into, into.hi, into.lo)
  }
  into.lo = (into.lo ^ (into.hi >>> 15)) >>> 0
  multiply(into, into.hi, into.lo)
  into.lo = (into.lo ^ (into.hi >>> 15)) >>> 0
}

function half (bytes: Uint8Array, at: number): number {
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0
}

// into = (hi, lo) × the multiplier, modulo 2^64, by 16-bit digits of the low half: doubles hold 53 bits.
function multiply (into: Hash64, hi: number, lo: number): void {
  const lo0 = lo & 0xffff
  const lo1 = lo >>> 16
  const low = lo0 * mulLo0
  const middle = lo1 * mulLo0 + (low >>> 16)
  const cross = lo0 * mulLo1 + (middle & 0xffff)
  const carry = lo1 * mulLo1 + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)
  into.lo = ((cross & 0xffff) << 16 | low & 0xffff) >>> 0
  into.hi = (carry + Math.imul(hi, mulLo) + Math.imul(lo, mulHi)) >>> 0
}
