import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { HeldSlots } from '../held-slots.ts'
import type { RouteAsk } from './pending.ts'

/** The slots of some questions, and where failures are told. */
export interface SlotsOfRequest { readonly asks: readonly RouteAsk[], readonly slots: HeldSlots, readonly log: FastifyBaseLogger }

/** Gives the slots of a request back when its response was sent or its client is gone, whichever comes first. */
export function releaseAtEnd (request: FastifyRequest, reply: FastifyReply, { asks, slots, log }: SlotsOfRequest): void {
  const held = asks.flatMap(({ slot }) => slot ?? [])
  if (held.length === 0) return
  const release = () => {
    for (const slot of held) {
      slots.release(slot).catch((error: unknown) => log.debug({ err: error }, 'a slot was not given back, it ends with its expiry: the store is away'))
    }
  }
  // Of HTTP/2 a request has its stream.
  const socket = (request.raw as { stream?: { destroyed: boolean } }).stream ?? request.raw.socket
  const isGone = () => reply.raw.destroyed || socket.destroyed
  if (isGone()) {
    release()
    return
  }
  reply.raw.once('finish', release).once('close', release)
  // A response that waits behind others of its socket is told nothing when that is closed.
  for (const slot of held) slots.watch(slot, isGone)
}
