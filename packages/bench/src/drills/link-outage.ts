import { type RedisServer, startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import { type Child, startChild } from '../child.ts'
import { parseCommandStats } from '../command-stats.ts'
import type { Drill, DrillFindings, DrillOptions } from '../drill.ts'
import { type LoadGenerator, type LoadResult, startLoadGenerator } from '../load.ts'
import { forged, login } from '../visitor.ts'

const path = '/work'
const users = 64
/** Far above the link's deadline of 100 ms, so that a busy machine is not called a broken promise. */
const slowestMs = 2_000
const returnWithinMs = 5_000

interface Scene {
  redis: RedisServer
  server: Child
  generator: LoadGenerator
  origin: string
  cookies: readonly string[]
  /** Of users who logged out during an outage. */
  ended: string[]
  seconds: number
  violations: string[]
  figures: Record<string, number>
  operations: number
}

/** All plugins on one route under load, while their Redis is frozen, comes back, is killed, and comes back empty. */
export const linkOutage: Drill = {
  name: 'link-outage',
  about: 'Redis is frozen, thawed, killed and started empty under load: every request is answered in time, log-outs meanwhile hold, and Redis is used again',
  run
}

async function run ({ quick, seconds = quick ? 1 : 4, print }: DrillOptions): Promise<DrillFindings> {
  const stops: (() => Promise<void>)[] = []
  const stopLater = <It extends { stop (): Promise<void> }>(it: It): It => {
    stops.unshift(() => it.stop())
    return it
  }
  try {
    const redis = stopLater(await startRedis())
    const server = stopLater(await startChild('candidates/suite/respite.mjs', { env: { BENCH_REDIS_URL: redis.url } }))
    const generator = stopLater(await startLoadGenerator())
    const origin = `http://127.0.0.1:${server.ready.port}`
    const cookies = await Promise.all(Array.from({ length: users }, (_, i) => login(origin, `user-${i}`)))
    const scene: Scene = { redis, server, generator, origin, cookies, seconds, ended: [], violations: [], figures: {}, operations: 0 }
    await faults(scene)
    for (const [name, value] of Object.entries(scene.figures)) print(`${name.padEnd(28)}${value}`)
    return scene
  } finally {
    for (const stop of stops) await stop()
  }
}

async function faults (scene: Scene): Promise<void> {
  const { redis } = scene
  await usingRedis(scene, 'up')
  redis.freeze()
  await phase(scene, 'frozen', () => logout(scene, 'during the freeze'))
  redis.thaw()
  await comesBack(scene, 'thaw')
  await usingRedis(scene, 'thawed')
  await redis.kill()
  await phase(scene, 'killed', () => logout(scene, 'while Redis was gone'))
  await redis.restart()
  await comesBack(scene, 'restart')
  await usingRedis(scene, 'restarted')
}

/** Load for one phase, something done in the middle of it, and what must hold in every phase. */
async function phase (scene: Scene, name: string, meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
  const { generator, origin, cookies, seconds, violations, figures } = scene
  const [result] = await Promise.all([generator.run({ url: origin + path, seconds, cookies }), meanwhile()])
  scene.operations += result.responses
  figures[`${name}PerSecond`] = Math.round(result.responses / result.seconds)
  figures[`${name}P99Ms`] = result.p99Ms
  figures[`${name}MaxMs`] = result.maxMs
  violations.push(...brokenBy(result).map(what => `${name}: ${what}`))
  for (const cookie of scene.ended) {
    if (await status(origin, cookie) !== 401) violations.push(`${name}: a session that was logged out is accepted`)
  }
  if (await status(origin, forged(cookies[0]!)) !== 401) violations.push(`${name}: a forged session is accepted`)
}

/** A phase in which Redis is up: an app that has given it up for good would answer just as well. */
async function usingRedis (scene: Scene, name: string): Promise<void> {
  const client = new Redis(scene.redis.url)
  // What scripts read of sessions: the calls themselves are shared by the requests of a turn.
  const reads = async () => parseCommandStats(await client.info('commandstats')).get('hmget')?.calls ?? 0
  try {
    const before = { reads: await reads(), operations: scene.operations }
    await phase(scene, name)
    const perRequest = (await reads() - before.reads) / (scene.operations - before.operations)
    scene.figures[`${name}ReadsPerRequest`] = Math.round(perRequest * 1000) / 1000
    if (!(perRequest > 0.5)) scene.violations.push(`${name}: Redis is hardly asked, ${perRequest} times a request`)
  } finally {
    client.disconnect()
  }
}

/** The sentences about a phase's load that should not have to be said. */
export function brokenBy ({ responses, failures, statuses, maxMs }: LoadResult): string[] {
  const broken: string[] = []
  if (responses === 0) broken.push('nothing was answered')
  if (failures > 0) broken.push(`${failures} requests were not answered`)
  for (const [code, count] of Object.entries(statuses)) {
    if (code !== '200') broken.push(`${count} requests were answered ${code}`)
  }
  if (maxMs > slowestMs) broken.push(`a request took ${Math.round(maxMs)} ms`)
  return broken
}

/** A user of no connection logs out; when that has resolved, his session must be over wherever it is asked about. */
async function logout (scene: Scene, when: string): Promise<void> {
  const cookie = await login(scene.origin, `leaver ${when}`)
  if (await status(scene.origin, cookie) !== 200) scene.violations.push(`a log-in ${when} is not accepted`)
  const response = await fetch(`${scene.origin}/logout`, { method: 'POST', headers: { cookie } })
  if (response.status === 200) scene.ended.push(cookie)
  else scene.violations.push(`a log-out ${when} was answered ${response.status}`)
}

async function comesBack ({ server, violations, figures }: Scene, after: string): Promise<void> {
  const from = performance.now()
  try {
    await until('the link to be up', async () => await server.ask({ question: 'linkState' }) === 'up', returnWithinMs)
    figures[`${after}ReturnMs`] = Math.round(performance.now() - from)
  } catch (error) {
    violations.push(`after the ${after}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function status (origin: string, cookie: string): Promise<number> {
  const response = await fetch(origin + path, { headers: { cookie } })
  await response.arrayBuffer()
  return response.status
}
