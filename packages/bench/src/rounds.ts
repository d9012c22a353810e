/** A small seeded generator (mulberry32): the order of a run can be had again by its seed. */
export function seededChance (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * The order of every round: the first as given, the others shuffled, so that no candidate always follows the same one
 * or always meets the machine at the same temperature.
 */
export function roundOrders<Name> (names: readonly Name[], rounds: number, seed: number): Name[][] {
  const chance = seededChance(seed)
  return Array.from({ length: rounds }, (_, round) => round === 0 ? [...names] : shuffled(names, chance))
}

function shuffled<Name> (names: readonly Name[], chance: () => number): Name[] {
  const order = [...names]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}
