import type { FastifyInstance } from 'fastify'
import type { SessionOptions } from '@respite/session'
import { type Gate, gate, until } from '@respite/testing'
import type { Test } from 'tap'
import { servicesOf } from '../../src/session-services.ts'
import { status } from '../shop.ts'
import { type Around, callsOf, openHouse } from './house.ts'

/** What a process keeps. */
export const localOf = (app: FastifyInstance) => servicesOf.get(app.sessions)!.local!

/** A server, and instances that keep sessions. */
export async function openLocal (t: Test, options: SessionOptions = {}, around: Around = {}) {
  const house = await openHouse(t)
  return {
    ...house,
    async app (own: SessionOptions = {}) {
      const app = await house.app({ l1: {}, ...options, ...own }, around)
      await until('the word of the server', () => app.respite.invalidations.armed)
      return app
    },
    scripts: async () => await callsOf(house.client, 'evalsha') + await callsOf(house.client, 'eval')
  }
}

/** Asks until the session is kept: what was said of its own fill may be under way at first. */
export async function kept (app: FastifyInstance, token: string): Promise<void> {
  await until('the copy in the process', async () => await status(app, token) === 200 && localOf(app).size === 1)
}

/** What the server says to this process from now on. */
export function listened (t: Test, app: FastifyInstance): readonly string[] {
  const heard: string[] = []
  t.teardown(app.respite.invalidations.follow(['respite:v1:session:{'], { changed: keys => { heard.push(...keys) }, all () {} }))
  return heard
}

/** From now on what the server says does not reach this process; what it says to itself does. */
export function deafened (app: FastifyInstance): { readonly missed: string[] } {
  const missed: string[] = []
  const word = app.respite.invalidations as unknown as Record<'changed' | 'changedHere', (keys: readonly string[]) => void>
  const { changed, changedHere } = word
  let own = false
  Object.assign(word, {
    changed (keys: readonly string[]) { if (own) changed.call(word, keys); else missed.push(...keys) },
    changedHere (keys: readonly string[]) {
      own = true
      changedHere.call(word, keys)
      own = false
    }
  })
  return { missed }
}

/** Holds the answer to the next call of a script. */
export function holdAnswer (app: FastifyInstance): Gate {
  const held = gate()
  const { link } = app.respite
  const call = link.call.bind(link)
  Object.assign(link, {
    call (...[script, keys, args, callback]: Parameters<typeof call>) {
      Object.assign(link, { call })
      call(script, keys, args, (error, reply) => { held.pass().then(() => callback(error, reply), () => undefined) })
    }
  })
  return held
}
