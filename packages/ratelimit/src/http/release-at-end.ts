import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { HeldSlots } from '../held-slots.ts'
import type { Question, RouteAsk } from './pending.ts'

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
  const isGone = goneTest(request, reply)
  if (isGone()) {
    release()
    return
  }
  reply.raw.once('finish', release).once('close', release)
  // A response that waits behind others of its socket is told nothing when that is closed.
  for (const slot of held) slots.watch(slot, isGone)
}

/** Gives a question up when the client of its request is gone. @returns a way to stay, once it is ruled */
export function leaveAtEnd (request: FastifyRequest, reply: FastifyReply, question: Question): () => void {
  const leave = () => question.leave()
  if (goneTest(request, reply)()) leave()
  else reply.raw.once('close', leave)
  return () => reply.raw.off('close', leave)
}

function goneTest (request: FastifyRequest, reply: FastifyReply): () => boolean {
  // Of HTTP/2 a request has its stream.
  const socket = (request.raw as { stream?: { destroyed: boolean } }).stream ?? request.raw.socket
  return () => reply.raw.destroyed || socket.destroyed
}
