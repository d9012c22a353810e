import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A child process that is asked questions over IPC: a candidate's server, or the load generator. */
export interface Child {
  /** What it said when it was ready. */
  readonly ready: { port?: number }
  readonly pid: number
  /** Sends a message with an id and waits for the answer of that id. @throws what the child threw, or that it ended */
  ask (message: object): Promise<unknown>
  stop (): Promise<void>
}

interface Waiting { resolve (answer: unknown): void, reject (error: Error): void }

/** The folder of this package, from `src` as from `dist`. */
const home = new URL('..', import.meta.url)

/**
 * Starts a module of this package as a process of its own and waits until it says that it is ready.
 * @param module - path from the package's folder, such as `load/generator.mjs`
 */
export async function startChild (module: string, { env = {}, nodeArguments = [] }: { env?: NodeJS.ProcessEnv, nodeArguments?: readonly string[] } = {}): Promise<Child> {
  const child = fork(fileURLToPath(new URL(module, home)), [], {
    env: { ...process.env, ...env },
    execArgv: [...process.execArgv, ...nodeArguments],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  const ready = new Promise<{ port?: number }>((resolve, reject) => {
    child.once('message', message => resolve(message as { port?: number }))
    child.once('exit', (code, signal) => reject(new Error(`${module} ended with ${signal ?? code}`)))
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module} ended with ${signal ?? code}`))
  })
  const answers = await ready
  child.on('message', message => {
    const { id, answer, error } = message as { id: number, answer?: unknown, error?: string }
    const caller = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) caller?.resolve(answer)
    else caller?.reject(new Error(`${module}: ${error}`))
  })
  return {
    ready: answers,
    pid: child.pid!,
    ask: message => new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      child.send({ id, ...message }, error => { if (error) reject(error) })
    }),
    async stop () {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(deadline)
    }
  }
}
