import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { buildApp, type Given } from '../../src/app.ts'
import { readEnvironment } from '../../src/environment.ts'

/** A server that listens on a free port of loopback, and ends with the test. */
export interface TestServer {
  url: string
  app: FastifyInstance
}

/** @param variables - beside those of a test: a new data folder, no log, loopback trusted as a proxy, a free port */
export async function serve (t: Test, variables: Record<string, string> = {}, given: Given = {}): Promise<TestServer> {
  const environment = readEnvironment({ DATA_DIR: variables.DATA_DIR ?? t.testdir(), LOG_LEVEL: 'silent', TRUST_PROXY: '127.0.0.1', ...variables })
  const app = await buildApp(environment, given)
  t.teardown(() => app.close())
  await app.listen({ port: Number(variables.PORT ?? 0), host: '127.0.0.1' })
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, app }
}

/** Two secrets that two servers share. */
export const secrets = { SESSION_SECRET: 'a secret of a test, for sessions.', TRACKING_KEY: 'a secret of a test, for counting.' }
