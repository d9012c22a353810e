import autocannon from 'autocannon'
import { createHistogram } from 'node:perf_hooks'

// As many places as an app has that are asked all day. The mock upstream takes 500 ms for each.
const places = Array.from({ length: 10 }, (_, i) => ({ path: `/weather?lat=${40 + i}&lon=13&mock=true` }))

/** How long {@link warmUp} goes on when the cache is filled. */
export const warmUpSeconds = 1
const microsOfMs = ms => Math.max(1, Math.round(ms * 1000))

/**
 * Asks a server for the weather as fast as it answers.
 * @returns requests a second, percentiles in ms, the share of answers from the cache (X-Cache: HIT) and what went wrong
 */
export async function loadWeather ({ url, seconds, connections }) {
  const latencies = createHistogram()
  const counted = { hits: 0, misses: 0, refused: 0, errors: 0 }
  const run = autocannon({ url, connections, duration: seconds, setupClient: countingIn(counted) })
  run.on('response', (_client, status, _bytes, ms) => {
    latencies.record(microsOfMs(ms))
    if (status === 429) counted.refused++
    else if (status < 200 || status > 299) counted.errors++
  })
  const { errors, duration } = await run
  const percentile = p => latencies.count === 0 ? NaN : latencies.percentile(p) / 1000
  return {
    requestsPerSecond: latencies.count / duration,
    p50Ms: percentile(50),
    p95Ms: percentile(95),
    p99Ms: percentile(99),
    hitRate: counted.hits / (counted.hits + counted.misses),
    refused: counted.refused,
    errors: counted.errors + errors
  }
}

/** Fills the cache, and lets the server's code become warm. */
export async function warmUp ({ url, connections }) {
  // Few connections would need seconds to come to all places. Whether the server answers at all is for the load to tell.
  await Promise.allSettled(places.map(async ({ path }) => (await fetch(url + path)).arrayBuffer()))
  await autocannon({ url, connections, duration: warmUpSeconds, setupClient: roundTrips() })
}

/** Each connection asks for all places in turn. Each begins at another one: in step, they would all wait for one place after the other. */
function roundTrips () {
  let next = 0
  return client => {
    const at = next++ % places.length
    client.setRequests([...places.slice(at), ...places.slice(0, at)])
  }
}

function countingIn (counted) {
  const travel = roundTrips()
  return client => {
    travel(client)
    client.on('headers', ({ headers }) => {
      const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'x-cache')
      if (headers[at + 1] === 'HIT') counted.hits++
      else counted.misses++
    })
  }
}
