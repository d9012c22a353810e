import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FST_RSP_APP_PART_ENDED } from '../errors.ts'

/** One of the servers. */
export interface ServerProcess {
  /** Resolves when it listens. @throws FST_RSP_APP_PART_ENDED when it ended before */
  readonly port: Promise<number>
  /** Lets it finish what is in flight. */
  stop (): Promise<void>
}

/** What `main` says to the process that started it, once it listens. */
export interface Listening { listening: { port: number } }

/** Starts `main` as a process of its own. */
export function startServer (environment: NodeJS.ProcessEnv): ServerProcess {
  const main = new URL(`../main${extname(import.meta.url)}`, import.meta.url)
  const child = fork(fileURLToPath(main), { env: environment })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  const failed = ended.then(([code, signal]) => { throw new FST_RSP_APP_PART_ENDED('a server', `${signal ?? `exit ${code}`}`) })
  const listening = once(child, 'message') as Promise<[Listening]>
  const port = Promise.race([listening.then(([message]) => message.listening.port), failed])
  port.catch(() => undefined) // whoever asks for it is told; later its end is what `stop` waits for
  return {
    port,
    async stop () {
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await ended
    }
  }
}
