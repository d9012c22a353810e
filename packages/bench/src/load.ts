import { type Child, startChild } from './child.ts'

/** What the generator is to do. */
export interface LoadOrder {
  url: string
  /** @default 64 */
  connections?: number
  seconds: number
  /** Connection i sends cookie i modulo their number; none: no cookie is sent. */
  cookies?: readonly string[]
  /** Undefined: each connection asks as soon as it was answered. */
  paced?: Pace | undefined
}

/** Requests that come in their own time, whether those before were answered or not. */
export interface Pace {
  perSecond: number
  /** Each request names one of so many in `x-user`, in turn. */
  users: number
}

/** What came of it. */
export interface LoadResult {
  responses: number
  /** Requests without an answer: connection errors and time-outs. */
  failures: number
  /** Responses by status code. */
  statuses: Record<string, number>
  /** From the first request to the last response. */
  seconds: number
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** The load generator, in its own process, so that its work is not the server's. */
export interface LoadGenerator {
  run (order: LoadOrder): Promise<LoadResult>
  stop (): Promise<void>
}

/** Starts the generator's process; it serves one order after the other. */
export async function startLoadGenerator (): Promise<LoadGenerator> {
  const child: Child = await startChild('load/generator.mjs')
  return {
    run: order => child.ask({ order: { connections: 64, cookies: [], ...order } }) as Promise<LoadResult>,
    stop: () => child.stop()
  }
}
