import type { FastifyRequest } from 'fastify'
import { FST_RSP_CONTRACT_MISSING, FST_RSP_CONTRACT_TAKEN } from './errors.ts'

/** Who makes a request; provided by the session plugin, or by an app with its own log-in. */
export interface Identity {
  /** The user, or undefined for a visitor. Known from onRequest on, after the session was settled. */
  userId (request: FastifyRequest): string | undefined
  /**
   * A stable, public name for the user who claims to make the request, undefined for a visitor, known before anything was asked of Redis:
   * it is proven by a signature, but its session may have ended. For keys of limits, never for rights.
   */
  subject (request: FastifyRequest): string | undefined
}

/** What a drop was of, and whether Redis has it. */
export interface DropReport {
  /** Values that were there and went. */
  dropped: number
  /** What waits for Redis to return: the newest a target. */
  queued: number
  /** Resolves when nothing of this call is queued any more; from then on the promise holds in every process. */
  settled: Promise<void>
}

/** What is to be dropped: keys as they are, patterns in which `*` stands for any text, and tags. */
export interface DropTargets {
  keys?: readonly string[]
  patterns?: readonly string[]
  tags?: readonly string[]
}

/** The cache's side of invalidation, for the invalidator and for apps. What is optional came later: a provider may lack it. */
export interface Invalidation {
  drop (what: DropTargets): Promise<DropReport>
  /**
   * Loads what is not there.
   * @returns whether it is there now; a provider that answers nothing does not know
   */
  fill (key: string, load: () => Promise<unknown>, options: { ttlMs?: number }): Promise<boolean | void>
  /** Drops all process-local copies here: for a listener that has missed messages. */
  forgetLocal (): void
  /**
   * Drops before a write, and lets nobody fill these keys until they are dropped again, or `holdMs` have passed. Who asks for
   * one of them meanwhile waits. Tags and patterns are dropped and not held.
   */
  hold? (what: DropTargets, options: { holdMs: number }): Promise<DropReport>
  /** The value of a key; where it is missing, what `load` gives, stored. */
  read? (key: string, load: () => Promise<unknown>, options: { ttlMs?: number }): Promise<unknown>
  /** @throws what `drop` would throw for a target that can never be dropped, such as a tag that is too long */
  check? (what: DropTargets): void
}

/** A client's address, by the trusted ranges of @respite/redis' `clientIp` option; never from `request.ip`. */
export interface ClientIp {
  /** The canonical address. */
  of (request: FastifyRequest): string
  /** The address as limits count it: IPv4 whole, IPv6 by its prefix. */
  subject (request: FastifyRequest): string
}

/** The contracts by which plugins cooperate. */
export interface Contracts {
  identity: Identity
  invalidation: Invalidation
  clientIp: ClientIp
}

/** Who provides what; resolved at onReady, so that the order of registration does not matter. */
export class ContractRegistry {
  readonly #provided = new Map<keyof Contracts, unknown>()

  /** @throws FST_RSP_CONTRACT_TAKEN */
  provide<Name extends keyof Contracts> (name: Name, contract: Contracts[Name]): void {
    if (this.#provided.has(name)) throw new FST_RSP_CONTRACT_TAKEN(name)
    this.#provided.set(name, contract)
  }

  /** The contract, or undefined while nobody provides it. */
  find<Name extends keyof Contracts> (name: Name): Contracts[Name] | undefined {
    return this.#provided.get(name) as Contracts[Name] | undefined
  }

  /** @throws FST_RSP_CONTRACT_MISSING */
  use<Name extends keyof Contracts> (name: Name): Contracts[Name] {
    const contract = this.find(name)
    if (contract === undefined) throw new FST_RSP_CONTRACT_MISSING(name)
    return contract
  }
}
