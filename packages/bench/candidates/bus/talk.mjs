// What a candidate's process is asked: all ways of publishing are put through the same loop.
import { answering } from '../answering.mjs'
import { quantile } from '../quantile.mjs'

/**
 * Answers what the bench asks over IPC until it goes away. One process publishes to many subscribers of its own and hears them all: latency is taken by one clock.
 * @param candidate - `listen(onMessage)`, which resolves once what is published is heard; `say(message)`; `close()`
 */
export async function talking ({ listen, say, close }) {
  const subscribers = Number(process.env.BENCH_SUBSCRIBERS)
  const inFlight = 64
  let heard = 0
  let onHeard
  const times = []
  const hear = ({ at, n }) => {
    heard++
    if (n % 16 === 0) times.push(performance.now() - at)
    onHeard?.()
  }
  for (let i = 0; i < subscribers; i++) await listen(hear)

  /** So many messages are on their way; the next leaves when one was heard by all. */
  async function talk ({ seconds }) {
    const startedAt = performance.now()
    const endsAt = startedAt + 1_000 * seconds
    times.length = 0
    heard = 0
    let said = 0
    await new Promise((resolve, reject) => {
      onHeard = () => {
        const over = performance.now() > endsAt
        if (over && heard === said * subscribers) resolve()
        if (over) return
        while (said - heard / subscribers < inFlight) say({ n: said++, at: performance.now(), text: 'x'.repeat(100) }).catch(reject)
      }
      onHeard()
    })
    onHeard = undefined
    const took = (performance.now() - startedAt) / 1_000
    return { operations: said, seconds: took, p99Ms: quantile(times, 0.99), figures: { deliveriesPerSecond: heard / took } }
  }

  answering({ talk }, close)
}
