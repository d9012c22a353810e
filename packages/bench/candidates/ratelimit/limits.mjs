// The limits that are checked: none of them is reached, so that every check is charged.
const count = Number(process.env.BENCH_LIMITS ?? 1)

export const limits = Array.from({ length: count }, (_, i) => ({ name: `limit-${i}`, limit: 100, windowMs: 1_000 * 10 ** i }))
  .map((each, i) => ({ ...each, limit: i === 0 ? each.limit : 100_000 }))
export const filled = units => ({ name: `full-${units}`, limit: units, windowMs: 60_000 })
