import type { Seeded } from '@respite/testing'
import { registerCount } from '../src/hyperloglog/registers.ts'

const highest = 51
const hits = new Uint16Array(registerCount)
// By hits of a register: the probability that its value is at most k.
const cumulative: Float64Array[] = []

/**
 * The histogram of a sketch of n ids, as chance has it: what comes of ids whose hashes are uniform, forty times as fast as hashing them.
 * Each id falls on a register; a value is more than k by one id in 2^k, and the largest of a register's ids stays.
 * @param n - at most a million
 */
export function drawnHistogram (n: number, random: Seeded): Uint32Array {
  hits.fill(0)
  for (let i = 0; i < n; i += 2) {
    const word = random.word()
    hits[word & registerCount - 1]!++
    if (i + 1 < n) hits[word >>> 14 & registerCount - 1]!++
  }
  const histogram = new Uint32Array(64)
  for (const count of hits) histogram[count === 0 ? 0 : valueOf(count, (random.word() + 0.5) / 2 ** 32)]!++
  return histogram
}

function valueOf (count: number, chance: number): number {
  const atMost = cumulative[count] ??= Float64Array.from({ length: highest + 1 }, (_, k) => k === highest ? 1 : (1 - 2 ** -k) ** count)
  let k = 1
  while (atMost[k]! < chance) k++
  return k
}
