// What a candidate's process is asked about the most frequent of many.
import { answering } from '../answering.mjs'
import { chance } from '../chance.mjs'
import { quantile } from '../quantile.mjs'

const ids = 1_000_000
const exponent = 1.1

const cumulative = new Float64Array(ids)
let sum = 0
for (let i = 0; i < ids; i++) cumulative[i] = sum += (i + 1) ** -exponent

// The same events in every run.
const word = chance(1)
function drawn () {
  const at = word() / 2 ** 32 * sum
  let [low, high] = [0, ids - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulative[middle] < at) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Answers what the bench asks over IPC until it goes away.
 * @param candidate - `see(users)` counts the calls of some; `top(k)` resolves to `[{ id, count, maxOver }]`; `close()`
 */
export function measured ({ see, top, close }) {
  const truth = new Uint32Array(ids)
  const batch = async () => {
    const users = Array.from({ length: 1_000 }, drawn)
    for (const user of users) truth[user]++
    await see(users.map(user => `user-${user}`))
    return users.length
  }

  async function fill ({ events }) {
    for (let done = 0; done < events;) done += await batch()
    const hundredth = truth.toSorted().at(-100)
    const listed = (await top(100)).map(({ id, count, maxOver }) => ({ calls: truth[Number(id.slice(5))], count, maxOver }))
    return {
      missedOf100: 100 - listed.filter(({ calls }) => calls >= hundredth).length,
      falseBounds: listed.filter(({ calls, count, maxOver }) => count < calls || count - maxOver > calls).length
    }
  }

  async function events ({ seconds }) {
    const times = []
    const startedAt = performance.now()
    let operations = 0
    while (performance.now() - startedAt < 1_000 * seconds) {
      const from = performance.now()
      operations += await batch()
      times.push(performance.now() - from)
    }
    return { operations, seconds: (performance.now() - startedAt) / 1_000, p99Ms: quantile(times, 0.99) }
  }

  answering({ fill, events }, close)
}
