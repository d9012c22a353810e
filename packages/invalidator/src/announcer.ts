import type { FastifyBaseLogger } from 'fastify'
import type { Bus, LinkError } from '@respite/redis'
import { type ChangeMessage, halves, inParts } from './change-message.ts'

/** What an announcer works with. */
export interface AnnouncerParts {
  readonly bus: Pick<Bus, 'publish'>
  readonly topic: string
  readonly log: Pick<FastifyBaseLogger, 'debug' | 'error'>
}

/** Tells the other instances of changes. */
export class Announcer {
  readonly #parts: AnnouncerParts

  constructor (parts: AnnouncerParts) {
    this.#parts = parts
  }

  /** @returns whether all of it was told; the drop has happened, so nothing is thrown */
  async tell (message: ChangeMessage): Promise<boolean> {
    const told = await Promise.all(inParts(message).map(part => this.#publish(part)))
    return told.every(Boolean)
  }

  async #publish (message: ChangeMessage): Promise<boolean> {
    const { bus, topic, log } = this.#parts
    try {
      await bus.publish(topic, message)
      return true
    } catch (error) {
      if ((error as { code?: string }).code === 'FST_RSP_BUS_TOO_LARGE') {
        const parts = halves(message)
        if (parts.length > 0) return (await Promise.all(parts.map(part => this.#publish(part)))).every(Boolean)
      }
      // Redis has not taken it: the others see a gap when it is back, and forget. What no message can hold is the app's fault.
      const down = (error as Partial<LinkError>).outcome !== undefined
      log[down ? 'debug' : 'error']({ err: error }, 'a change could not be told')
      return false
    }
  }
}
