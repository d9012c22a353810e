import type { FastifyInstance } from 'fastify'
import { until } from '@respite/testing'

/** What a client sees of an answer. */
export interface Seen {
  readonly status: number
  readonly body: string
  readonly bytes: Buffer
  readonly state: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** An app, and its answers to GET. */
export interface AskedApp {
  readonly app: FastifyInstance
  get (url: string, headers?: Record<string, string>): Promise<Seen>
}

interface Test { teardown (end: () => unknown): void }

/** Two apps with the same routes, ready, and closed with the test. */
export async function withRoutes (t: Test, make: () => Promise<FastifyInstance>, routes: (app: FastifyInstance) => void): Promise<[AskedApp, AskedApp]> {
  const one = async (): Promise<AskedApp> => {
    const app = await make()
    t.teardown(() => app.close())
    routes(app)
    await app.ready()
    return { app, get: (url, headers = {}) => seen(app, url, headers) }
  }
  return [await one(), await one()]
}

async function seen (app: FastifyInstance, url: string, given: Record<string, string>): Promise<Seen> {
  const { statusCode, body, rawPayload, headers } = await app.inject({ url, headers: given })
  return { status: statusCode, body, bytes: rawPayload, state: String(headers['x-cache']), headers: headers as Seen['headers'] }
}

/** Asks until the answer comes so: what is stored after an answer has left is there a moment later. */
export async function stateOf ({ get }: AskedApp, url: string, state: string): Promise<void> {
  await until(`${url} is ${state}`, async () => (await get(url)).state === state)
}
