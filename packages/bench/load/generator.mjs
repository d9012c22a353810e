// The load generator: a process of its own, told over IPC what to do.
import autocannon from 'autocannon'
import net from 'node:net'
import process from 'node:process'
import { Latencies } from './latencies.mjs'
import { paced } from './paced.mjs'

// Each connection comes from a loopback address of its own, so that a limit by IP counts many callers and not one.
// Only Linux has all of 127.0.0.0/8 without being asked.
const connect = net.connect
let made = 0
let onConnect = () => {}
net.connect = (port, host) => {
  const localAddress = process.platform === 'linux' ? `127.0.1.${1 + made % 250}` : undefined
  made++
  onConnect()
  return connect({ port, host, localAddress })
}

function generate ({ url, connections, seconds, cookies }) {
  const latencies = new Latencies()
  made = 0
  let client = 0
  const statuses = {}
  return new Promise((resolve, reject) => {
    let errors = 0
    let responses = 0
    const run = autocannon({
      url,
      connections,
      // It ends by stop(), which is looked at this often (ms).
      duration: Math.ceil(seconds) + 60,
      sampleInt: 50,
      setupClient (it) {
        const cookie = cookies[client++ % cookies.length]
        if (cookie !== undefined) it.setHeaders({ cookie })
      }
    })
    const from = performance.now()
    let lastAt = from
    // On a busy machine the first answer may take longer than the whole of a short run.
    let over = false
    // One that is made again was hung up on, which is an answer too.
    const endIfOver = () => { if (over && (responses + errors > 0 || made > connections)) run.stop() }
    onConnect = endIfOver
    run.on('response', (_client, status, _bytes, ms) => {
      lastAt = performance.now()
      responses++
      statuses[status] = (statuses[status] ?? 0) + 1
      latencies.add(ms)
      endIfOver()
    })
    run.on('reqError', () => {
      errors++
      endIfOver()
    })
    run.on('error', reject)
    setTimeout(() => {
      over = true
      endIfOver()
    }, seconds * 1000)
    run.on('done', ({ requests }) => {
      // A connection that the server ends is made again without a word; its request was sent and is answered by nobody.
      // At the end each connection may have one on its way.
      const lost = Math.max(0, requests.sent - responses - connections)
      resolve({ responses, failures: Math.max(errors, lost), statuses, seconds: (lastAt - from) / 1000, ...latencies.summary() })
    })
  })
}

process.on('message', async ({ id, order }) => {
  try {
    process.send({ id, answer: await (order.paced === undefined ? generate(order) : paced(order)) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
})
process.once('disconnect', () => process.exit(0))
process.send({ ready: true })
