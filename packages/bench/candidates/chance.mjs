/** Marsaglia's xorshift32: the same numbers for the same seed, 32 bits each. */
export function chance (seed) {
  // Seeds that lie close together begin far apart, and none is 0.
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x6a09e667
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
