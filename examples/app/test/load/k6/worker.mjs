// Runs a bundled k6 script in a thread that waits for its requests as k6 does: the main thread sends them.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'

const { script, environment, exec, times, port, bell } = workerData
const seen = { metrics: {}, checks: {} }
const add = (name, value) => { (seen.metrics[name] ??= []).push(Number(value)) }

class Metric {
  constructor (name) {
    this.name = name
    seen.metrics[name] = []
  }

  add (value) { add(this.name, value) }
}

/** Header names as Go has them. */
const canonical = name => name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase())

function request (method, url, body, { headers = {} } = {}) {
  Atomics.store(bell, 0, 0)
  parentPort.postMessage({ method, url, body, headers })
  Atomics.wait(bell, 0, 0)
  const { message } = receiveMessageOnPort(port)
  return { ...message, headers: Object.fromEntries(message.headers.map(([name, value]) => [canonical(name), value])) }
}

function check (value, conditions) {
  const passed = Object.entries(conditions).map(([name, holds]) => {
    const it = Boolean(holds(value))
    ;(seen.checks[name] ??= []).push(it)
    return it
  })
  return passed.every(Boolean)
}

globalThis.__ENV = environment
globalThis.__VU = 1
globalThis.k6 = {
  check,
  Counter: Metric,
  Rate: Metric,
  Trend: Metric,
  http: {
    request,
    get: (url, params) => request('GET', url, null, params),
    expectedStatuses: (...statuses) => statuses,
    setResponseCallback: statuses => { seen.expected = statuses }
  }
}
const loaded = await import(script)
for (let i = 0; i < times; i++) loaded[exec]()
parentPort.postMessage({ done: { ...seen, options: loaded.options } })
