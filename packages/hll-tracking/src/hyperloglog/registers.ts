import { FST_RSP_TRACKING_HLL_CORRUPT } from '../errors.ts'
import { type Hash64, murmurHash64A } from './murmur.ts'

/** Registers of a HyperLogLog, as Redis has them. */
export const registerCount = 16_384

/** Bytes of the registers, six bits each. */
export const registerBytes = registerCount * 6 / 8

const indexMask = registerCount - 1
const hash: Hash64 = { hi: 0, lo: 0 }

/** The registers of a HyperLogLog, packed as in Redis' dense encoding: six bits each, the lowest first. */
export class Registers {
  readonly bytes: Uint8Array

  /**
   * @param bytes - packed registers to begin with, not copied; all zero by default
   * @throws FST_RSP_TRACKING_HLL_CORRUPT when they are not 12,288 bytes
   */
  constructor (bytes: Uint8Array = new Uint8Array(registerBytes)) {
    if (bytes.length !== registerBytes) throw new FST_RSP_TRACKING_HLL_CORRUPT(`registers of ${bytes.length} bytes`)
    this.bytes = bytes
  }

  /** Counts an element: PFADD. */
  add (element: Uint8Array): void {
    murmurHash64A(element, hash)
    this.raise(hash.lo & indexMask, rankOf(hash))
  }

  /** The value of a register, 0 to 63. */
  at (index: number): number {
    const bit = index * 6
    const byte = bit >>> 3
    return (this.bytes[byte]! | (this.bytes[byte + 1] ?? 0) << 8) >>> (bit & 7) & 63
  }

  /** Lifts a register to a value, if it is lower. */
  raise (index: number, value: number): void {
    const bit = index * 6
    const byte = bit >>> 3
    const shift = bit & 7
    const pair = this.bytes[byte]! | (this.bytes[byte + 1] ?? 0) << 8
    if ((pair >>> shift & 63) >= value) return
    const next = pair & ~(63 << shift) | value << shift
    this.bytes[byte] = next
    if (shift > 2) this.bytes[byte + 1] = next >>> 8
  }

  /** Counts all that the other has counted: PFMERGE. */
  merge (other: Registers): void {
    const [ours, theirs] = [this.bytes, other.bytes]
    // Four registers are three bytes.
    for (let i = 0; i < registerBytes; i += 3) {
      const b = theirs[i]! | theirs[i + 1]! << 8 | theirs[i + 2]! << 16
      if (b === 0) continue
      const a = ours[i]! | ours[i + 1]! << 8 | ours[i + 2]! << 16
      let max = 0
      for (let mask = 63; mask < 1 << 24; mask <<= 6) max |= Math.max(a & mask, b & mask)
      ours[i] = max
      ours[i + 1] = max >>> 8
      ours[i + 2] = max >>> 16
    }
  }

  /** How many registers have each value from 0 to 63. */
  histogram (): Uint32Array {
    const counts = new Uint32Array(64)
    for (let i = 0; i < registerCount; i++) counts[this.at(i)]!++
    return counts
  }
}

// One more than the zeros below the lowest one-bit of the 50 bits above the index; a guard bit ends the run.
function rankOf ({ hi, lo }: Hash64): number {
  const low = lo >>> 14 | hi << 18
  if (low !== 0) return trailingZeros(low) + 1
  return trailingZeros(hi >>> 14 | 1 << 18) + 33
}

const trailingZeros = (word: number) => 31 - Math.clz32(word & -word)
