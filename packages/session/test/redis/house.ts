import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Redis } from 'ioredis'
import tap, { type Test } from 'tap'
import { systemClock } from '@respite/redis'
import { gate, type RedisServer } from '@respite/testing'
import { type SessionOptions, sqliteStore } from '@respite/session'
import { ownerOfUser } from '../../src/owner.ts'
import { makeApp } from '../app.ts'
import { openGrounds, secrets } from '../grounds.ts'
import { addRoutes, loggedIn, status } from '../shop.ts'
import { WatchedStore } from '../watched-store.ts'

export interface Around {
  /** How long a call of Redis has, where a busy machine must not look like one that is down. */
  deadlineMs?: number
  server?: FastifyServerOptions
  /** Registers what comes before everything else. */
  first?: (app: FastifyInstance) => unknown
  routes?: (app: FastifyInstance) => void
}

/** A Redis server and a durable store, and as many apps over them as wanted. */
export interface TestHouse {
  readonly server: RedisServer
  /** To look at what is in Redis. */
  readonly client: Redis
  readonly watched: WatchedStore
  /** Another instance of the app, with a watched store of its own over the same tables. */
  app (options?: SessionOptions, more?: Around): Promise<FastifyInstance & { watched: WatchedStore }>
}

// One worker thread a test file: to start one takes a second or two.
const folder = mkdtempSync(join(tmpdir(), 'respite-session-'))
const durable = sqliteStore(join(folder, 'sessions.db'))
let opened: Promise<void> | undefined
tap.teardown(async () => {
  await durable.close()
  rmSync(folder, { recursive: true, force: true })
})

/** As if nobody had ever been here. */
async function forgetAll (): Promise<void> {
  opened ??= durable.open({ migrate: true, clock: systemClock })
  await opened
  for (const user of ['ada', 'bob']) await durable.revoke({ owner: ownerOfUser(user).owner })
  const rows = await durable.pending(10_000)
  await durable.confirm(rows.filter(row => row.dead).map(row => row.hash), rows.filter(row => !row.dead))
}

export async function openHouse (t: Test): Promise<TestHouse> {
  await forgetAll()
  const { server, client, settle } = await openGrounds(t)
  return {
    server,
    client,
    watched: new WatchedStore(durable),
    async app (options = {}, { server: serverOptions, first, routes, deadlineMs = 100 } = {}) {
      const watched = new WatchedStore(durable)
      const around = { redis: { url: server.url, deadlineMs }, server: serverOptions ?? {}, ...(first && { first }) }
      const app = addRoutes(await makeApp({ secrets, durable: watched.store, ...options }, around))
      routes?.(app)
      return Object.assign(await settle(app), { watched })
    }
  }
}

/** The copies in Redis, by key. */
export async function copiesOf (client: Redis): Promise<Map<string, Record<string, string>>> {
  const keys = (await client.keys('respite:v1:session:*')).filter(key => key.includes(':s:'))
  return new Map(await Promise.all(keys.map(async key => [key, await client.hgetall(key)] as const)))
}

/** How often a command was called on the server. */
export async function callsOf (client: Redis, command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info('commandstats'))?.[1] ?? 0)
}

/** A request that has its row from the durable store, and waits before it fills. */
export async function beforeItsFill (house: TestHouse) {
  const [here, there] = [await house.app(), await house.app()]
  const token = await loggedIn(here)
  for (const key of (await copiesOf(house.client)).keys()) await house.client.del(key)
  const held = gate()
  here.watched.after.set('find', () => held.pass())
  const request = status(here, token)
  await held.reached
  return { here, there, token, async resume () { held.open(); return await request } }
}
