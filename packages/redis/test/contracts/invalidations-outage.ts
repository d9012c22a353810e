import type { Test } from 'tap'
import { startProxy, startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import type { Invalidations } from '../../src/invalidations/invalidations.ts'
import { scribe } from './invalidations.ts'

export interface OutageFixture {
  /** Another instance of the app, on the server of this port. */
  instance (t: Test, port: number): Promise<{ invalidations: Invalidations }>
}

/** What invalidations do when the way to the server, or the server, fails. Heartbeats of 1 s, as by default. */
export function invalidationsOutageContract (t: Test, { instance }: OutageFixture): void {
  t.test('connections that hang in silence are noticed, and what was changed meanwhile is served by no copy', async t => {
    const server = await startRedis()
    const proxy = await startProxy(server.port)
    const writer = new Redis(server.port, '127.0.0.1')
    t.teardown(async () => { writer.disconnect(); await proxy.stop(); await server.stop() })
    const { invalidations } = await instance(t, proxy.port)
    const told = scribe()
    invalidations.follow(['k:'], told)
    await until('it is armed', () => invalidations.armed)
    const mark = invalidations.mark(['k:1'])
    proxy.blackHole = true
    await writer.set('k:1', 'unheard of')
    await until('the loss is noticed', () => !invalidations.armed)
    t.same([told.keys, mark.mayKeep('k:1')], [[], false])
    proxy.blackHole = false
    proxy.cut() // bytes were lost within the streams, which TCP never does to a connection that lives
    await until('it is armed again', () => invalidations.armed, 20_000)
    t.ok(told.alls >= 2)
    t.equal(mark.mayKeep('k:1'), false)
    await writer.set('k:2', 'heard of')
    await until('a change is told', () => told.keys.includes('k:2'))
  })

  t.test('a server that goes and comes back: unarmed meanwhile, everything dropped, armed by itself', async t => {
    const server = await startRedis()
    t.teardown(() => server.stop())
    const { invalidations } = await instance(t, server.port)
    const told = scribe()
    invalidations.follow(['k:'], told)
    await until('it is armed', () => invalidations.armed)
    const { generation } = invalidations
    await server.kill()
    await until('the loss is noticed', () => !invalidations.armed)
    t.ok(invalidations.generation > generation)
    await server.restart()
    await until('it is armed again', () => invalidations.armed)
    const writer = new Redis(server.port, '127.0.0.1')
    t.teardown(() => writer.disconnect())
    await writer.set('k:1', '1')
    await until('a change is told', () => told.keys.includes('k:1'))
  })
}
