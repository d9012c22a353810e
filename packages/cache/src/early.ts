/**
 * Whether an entry is refreshed before it ends: with probability exp(−τ/δ), τ being the time it has left and δ what its fill cost.
 * @see Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention (XFetch), with β = 1
 */
export function isEarly ({ leftMs, costMs }: { leftMs: number, costMs: number }, chance: () => number): boolean {
  return costMs > 0 && chance() < Math.exp(-leftMs / costMs)
}
