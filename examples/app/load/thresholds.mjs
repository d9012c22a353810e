/** The thresholds that were not kept, each as a line. A figure that could not be measured keeps none. */
export function missed (figures, { p95Ms, hitRate }) {
  const lines = []
  if (!(figures.p95Ms <= p95Ms)) lines.push(`p95 is ${ms(figures.p95Ms)}, allowed are ${p95Ms} ms`)
  if (!(figures.hitRate >= hitRate)) lines.push(`the hit rate is ${share(figures.hitRate)}, wanted are ${hitRate}`)
  if (figures.refused > 0) lines.push(`${figures.refused} requests were refused (429): the server limits the address of the load`)
  if (figures.errors > 0) lines.push(`${figures.errors} requests failed`)
  return lines
}

/** What was measured, for people. */
export function table (figures) {
  const rows = [
    ['requests a second', Math.round(figures.requestsPerSecond)],
    ['p50', ms(figures.p50Ms)],
    ['p95', ms(figures.p95Ms)],
    ['p99', ms(figures.p99Ms)],
    ['hit rate', share(figures.hitRate)],
    ['refused (429)', figures.refused],
    ['errors', figures.errors]
  ]
  return rows.map(([name, value]) => `${name.padEnd(20)}${String(value).padStart(12)}\n`).join('')
}

const ms = value => `${value.toFixed(3)} ms`

// Downwards: what is shown as 1 is 1.
const share = value => (Math.floor(value * 1000) / 1000).toFixed(3)
