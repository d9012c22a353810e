import { registerCount } from './registers.ts'

// Values a register can have beside 0: the 50 bits above the index, and one for none of them.
const bits = 50
// 1 / (2 ln 2)
const alphaInfinity = 0.7213475204444817

/**
 * The number of distinct elements that registers stand for, as PFCOUNT says it since Redis 5.
 * @param histogram - how many registers have each value
 * @see O. Ertl, New cardinality estimation algorithms for HyperLogLog sketches (2017), algorithm 6
 */
export function estimate (histogram: Uint32Array): number {
  const m = registerCount
  let z = m * tau((m - histogram[bits + 1]!) / m)
  for (let value = bits; value >= 1; value--) {
    z += histogram[value]!
    z *= 0.5
  }
  z += m * sigma(histogram[0]! / m)
  return Math.round(alphaInfinity * m * m / z)
}

// What registers of the largest value add, and those of 0: τ and σ of the paper, whose terms are summed until one changes nothing.
function tau (x: number): number {
  if (x === 0 || x === 1) return 0
  let before
  let y = 1
  let z = 1 - x
  do {
    x = Math.sqrt(x)
    before = z
    y *= 0.5
    z -= (1 - x) * (1 - x) * y
  } while (before !== z)
  return z / 3
}

function sigma (x: number): number {
  if (x === 1) return Infinity
  let before
  let y = 1
  let z = x
  do {
    x *= x
    before = z
    z += x * y
    y += y
  } while (before !== z)
  return z
}
