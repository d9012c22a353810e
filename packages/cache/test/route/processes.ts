import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Row, Told } from './worker.ts'

/** A process that serves a cached route, `/rows/:id`; what its handler gives is asked of the test. */
export interface Worker {
  readonly child: ChildProcess
  /** How often its handler has run. */
  readonly runs: number
  get (path: string): Promise<{ status: number, state: string | null, body: string }>
  put (path: string): Promise<number>
}

export interface WorkerOptions {
  readonly url: string
  readonly lease: string
  /** What the handler gives: when it is there. */
  row (): string | Promise<string>
}

/** Ends with the test. */
export async function startWorker (t: { teardown (end: () => unknown): void }, { url, lease, row }: WorkerOptions): Promise<Worker> {
  const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), { env: { ...process.env, WORKER_REDIS_URL: url, WORKER_LEASE: lease } })
  t.teardown(() => child.kill('SIGKILL'))
  let runs = 0
  const origin = new Promise<string>((resolve, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`the worker ended with ${signal ?? code}`)))
    child.on('message', (told: Told) => {
      if ('port' in told) return resolve(`http://127.0.0.1:${told.port}`)
      runs++
      Promise.resolve(row()).then(found => child.connected && child.send({ running: told.running, row: found } satisfies Row), reject)
    })
  })
  const at = await origin
  return {
    child,
    get runs () { return runs },
    async get (path) {
      const answer = await fetch(at + path)
      return { status: answer.status, state: answer.headers.get('x-cache'), body: await answer.text() }
    },
    put: async path => (await fetch(at + path, { method: 'PUT' })).status
  }
}

/** SIGKILL; resolves when it is gone. */
export async function killed ({ child }: Worker): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
