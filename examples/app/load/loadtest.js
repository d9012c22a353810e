// k6 run examples/app/load/loadtest.js, or with another server: k6 run -e BASE_URL=https://… examples/app/load/loadtest.js
/* global __ENV, __VU */
import { check } from 'k6'
import http from 'k6/http'
import { Counter, Rate, Trend } from 'k6/metrics'

const baseUrl = __ENV.BASE_URL || 'http://localhost:8080'
const duration = __ENV.DURATION || '1m'
const json = { headers: { 'content-type': 'application/json' } }

const cacheHits = new Rate('cache_hits')
const entryDuration = new Trend('entry_duration', true)
const limited = new Counter('limited')

// 429 is an answer that the server promises: it is counted by itself, neither as a failure nor among the durations of work that was done.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }, 429))

export const options = {
  scenarios: {
    weather: { executor: 'constant-vus', exec: 'weather', vus: 20, duration },
    // An address has 100 requests a minute for entries. A turn is two, and every fifth of a VU three: at most 70 a minute from all of them together.
    entries: { executor: 'constant-arrival-rate', exec: 'entries', rate: 30, timeUnit: '1m', duration, preAllocatedVUs: 2, maxVUs: 4 }
  },
  thresholds: {
    'http_req_duration{scenario:weather}': ['p(95)<200'],
    entry_duration: ['p(95)<300'],
    cache_hits: ['rate>=0.9'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
    // Within its limits nobody is refused. More than one load from one address in a minute is not within them.
    limited: ['count<1']
  }
}

const places = 10
let turn = 0

/** Reads the weather of ten places; the mock upstream takes 500 ms when one is not in the cache. */
export function weather () {
  // Each VU begins at another place: in step, they would all wait for one place after the other.
  const latitude = 40 + (__VU + turn++) % places
  const answer = http.get(`${baseUrl}/weather?lat=${latitude}&lon=13&mock=true`, { tags: { name: 'GET /weather' } })
  cacheHits.add(answer.headers['X-Cache'] === 'HIT')
  check(answer, { 'the weather of that place': ({ status, body }) => status === 200 && JSON.parse(body).latitude === latitude })
}

/** Reads a list and its first entry; each fifth turn writes one first, which must be the first of the list. */
export function entries () {
  const written = turn++ % 5 === 0 ? write() : undefined
  const list = ask('GET', '/entries?page=1&size=10', 'GET /entries')
  if (list === undefined) return
  if (written !== undefined) check(list, { 'a write is seen by the next read': ({ body }) => JSON.parse(body).entries.some(({ id }) => id === written.id) })
  const [first] = JSON.parse(list.body).entries
  if (first !== undefined) ask('GET', `/entries/${first.id}`, 'GET /entries/:id')
}

function write () {
  const answer = ask('POST', '/entries', 'POST /entries', { title: 'load', content: 'written by a load test' })
  return answer && JSON.parse(answer.body)
}

/** The answer, or undefined when it was a 429. */
function ask (method, path, name, body) {
  const params = { ...json, tags: { name } }
  const answer = http.request(method, baseUrl + path, body === undefined ? null : JSON.stringify(body), body === undefined ? { tags: { name } } : params)
  if (answer.status === 429) {
    limited.add(1)
    check(answer, { 'a refusal says when to come back': ({ headers }) => Number(headers['Retry-After']) > 0 })
    return undefined
  }
  entryDuration.add(answer.timings.duration)
  check(answer, { 'an entry or a list of them': ({ status }) => status === 200 || status === 201 })
  return answer.status < 300 ? answer : undefined
}
