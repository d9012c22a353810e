import { build } from 'esbuild'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Test } from 'tap'

/** What a script did. */
export interface Seen {
  metrics: Record<string, number[]>
  checks: Record<string, boolean[]>
  expected: unknown[]
  options: { scenarios: Record<string, any>, thresholds: Record<string, string[]> }
}

const modules: Record<string, string> = {
  k6: 'export const { check } = globalThis.k6',
  'k6/http': 'export default globalThis.k6.http',
  'k6/metrics': 'export const { Counter, Rate, Trend } = globalThis.k6'
}

/** Runs one function of the k6 script so many times against a server, with k6's modules played by a thread. */
export async function runScript (t: Test, url: string, exec: string, times: number): Promise<Seen> {
  const script = join(t.testdir(), 'script.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL('../../../load/loadtest.js', import.meta.url))],
    outfile: script,
    bundle: true,
    format: 'esm',
    logLevel: 'warning',
    plugins: [{
      name: 'k6',
      setup ({ onResolve, onLoad }) {
        onResolve({ filter: /^k6(\/|$)/ }, ({ path }) => ({ path, namespace: 'k6' }))
        onLoad({ filter: /.*/, namespace: 'k6' }, ({ path }) => ({ contents: modules[path] ?? '' }))
      }
    }]
  })
  const { port1, port2 } = new MessageChannel()
  const bell = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { script, environment: { BASE_URL: url }, exec, times, port: port2, bell }, transferList: [port2], execArgv: []
  })
  t.teardown(async () => {
    port1.close()
    await worker.terminate()
  })
  return await new Promise<Seen>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', message => {
      if (message.done) resolve(message.done)
      else {
        answer(message).then(it => {
          port1.postMessage(it)
          Atomics.store(bell, 0, 1)
          Atomics.notify(bell, 0)
        }, reject)
      }
    })
  })
}

async function answer ({ method, url, headers, body }: { method: string, url: string, headers: Record<string, string>, body: string | null }) {
  const from = performance.now()
  const response = await fetch(url, { method, headers, body })
  return { status: response.status, headers: [...response.headers], body: await response.text(), timings: { duration: performance.now() - from } }
}
