// What a candidate's process is asked about a metric of 400 days.
import { answering } from '../answering.mjs'
import { quantile } from '../quantile.mjs'

const dayMs = 86_400_000
const days = 400
const callersADay = 2_000
const population = 50_000

/**
 * Answers what the bench asks over IPC until it goes away.
 * @param candidate - `see(atMs, users)` counts the users of a day; `count()` resolves to how many came in all days; `close()`
 */
export function measured ({ see, count, close }) {
  const seen = new Set()

  // A day's users are a stretch of all, so that days have users in common and their union is known.
  async function fill ({ nowMs }) {
    const today = nowMs - nowMs % dayMs
    for (let day = days - 1; day >= 0; day--) {
      const from = day * 7_919 % population
      const users = Array.from({ length: callersADay }, (_, i) => `user-${(from + i) % population}`)
      for (const user of users) seen.add(user)
      await see(day === 0 ? nowMs : today - day * dayMs + dayMs / 2, users)
    }
    const from = performance.now()
    const value = await count()
    return { truth: seen.size, value, coldMs: performance.now() - from, days }
  }

  async function counts ({ seconds }) {
    const times = []
    const startedAt = performance.now()
    while (performance.now() - startedAt < 1_000 * seconds) {
      const from = performance.now()
      await count()
      times.push(performance.now() - from)
    }
    const took = (performance.now() - startedAt) / 1_000
    return { operations: times.length, seconds: took, p99Ms: quantile(times, 0.99), figures: { warmMs: quantile(times, 0.5) } }
  }

  answering({ fill, counts }, close)
}
