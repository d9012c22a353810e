import http from 'node:http'
import { Latencies } from './latencies.mjs'

/** Sends requests at an even pace, over as many connections as it takes, and waits for the last answer. */
export async function paced ({ url, connections, seconds, paced: { perSecond, users } }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 * connections })
  const latencies = new Latencies()
  const statuses = {}
  const under = new Set()
  let failures = 0
  const ask = user => new Promise(resolve => {
    const from = performance.now()
    const fail = () => {
      failures++
      resolve()
    }
    http.get(url, { agent, headers: { 'x-user': `user-${user}` } }, response => {
      response.on('end', () => {
        latencies.add(performance.now() - from)
        statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1
        resolve()
      }).on('error', fail).resume()
    }).on('error', fail)
  })
  const startedAt = performance.now()
  const wanted = Math.max(1, Math.round(seconds * perSecond))
  for (let sent = 0; sent < wanted;) {
    const due = Math.min(wanted, 1 + Math.floor((performance.now() - startedAt) / 1000 * perSecond))
    for (; sent < due; sent++) {
      const answer = ask(sent % users)
      under.add(answer)
      answer.then(() => under.delete(answer))
    }
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  await Promise.all(under)
  agent.destroy()
  return { responses: latencies.count, failures, statuses, seconds: (performance.now() - startedAt) / 1000, ...latencies.summary() }
}
