import type { FastifyReply } from 'fastify'
import { Readable } from 'node:stream'
import { forwardStatus, appended, type Forward } from './cache-status.ts'
import { isNotModified, ofTheBody } from './conditional.ts'
import type { Lifetime } from './freshness.ts'
import { type Candidate, headersToStore } from './storable.ts'
import { type StoredResponse, etagOf } from './stored-response.ts'
import { tee } from './tee.ts'

/** What a capture is to do. */
export interface CaptureTask {
  /** How long this answer may be used; undefined: it must not be stored. */
  judge (candidate: Candidate): Lifetime | undefined
  readonly maxBytes: number
  nowMs (): number
  /** Why the handler was asked, for Cache-Status. */
  readonly forward: Forward
  /** Nobody reads this reply: only what is stored of it matters. */
  readonly unread: boolean
  /** How long an answer is waited for when the client has left: after it, it would not be stored anyway. */
  readonly leaseMs: number
}

/** An answer of a handler, and what may be stored of it. */
export interface Captured {
  readonly candidate: Candidate
  readonly response: StoredResponse | undefined
}

/**
 * Watches one reply: notes its headers when the handler sends, and its payload on the way out. What happens in between
 * and after, by other plugins, is theirs; only a cookie that one of them sets makes the answer personal after all.
 */
export class Capture {
  /** Undefined when the answer never came this way (a hijacked reply, a closed connection). */
  readonly done: Promise<Captured | undefined>
  readonly #task: CaptureTask
  readonly #before: Record<string, unknown>
  #sent: Record<string, unknown> | undefined
  #failed = false
  #seen = false
  #left = false
  #streaming = false
  #settle!: (captured: Captured | undefined) => void

  constructor (reply: FastifyReply, task: CaptureTask) {
    this.#task = task
    this.done = new Promise(resolve => { this.#settle = resolve })
    this.#before = { ...reply.getHeaders() }
    const send = reply.send
    reply.send = payload => {
      this.#sent ??= { ...reply.getHeaders() }
      this.#failed ||= payload instanceof Error
      return send.call(reply, payload)
    }
    outliveClient(reply)
    reply.raw.once('close', () => this.#clientLeft(reply))
  }

  /** The handler has thrown: what is sent then is not its answer. */
  failed (): void {
    this.#failed = true
  }

  /** The payload as it leaves, from an onSend hook; returns what is to be sent in its place. */
  seen (reply: FastifyReply, payload: unknown): unknown {
    // What is made of a client's leaving is no answer of the handler, whose stream goes on to be stored.
    if (this.#streaming && this.#left) return payload
    this.#seen = true
    const final = { ...reply.getHeaders() }
    const sent = this.#sent ??= final
    const candidate = { status: reply.statusCode, failed: this.#failed, before: this.#before, sent, final }
    const life = this.#task.judge(candidate)
    if (life !== undefined && (typeof payload === 'string' || payload instanceof Uint8Array)) return this.#whole(reply, payload, { candidate, life })
    if (life !== undefined && payload instanceof Readable && this.#mayTee(reply, candidate)) return this.#stream(reply, payload, { candidate, life })
    this.#say(reply, false)
    this.#settle({ candidate, response: undefined })
    return this.#task.unread ? dropped(payload) : payload
  }

  /** That does not end the handler; only where nothing can come any more is there nothing to wait for. */
  #clientLeft (reply: FastifyReply): void {
    this.#left = true
    if (this.#seen) return
    if (reply.sent) this.#settle(undefined)
    else setTimeout(() => { if (!this.#seen) this.#settle(undefined) }, this.#task.leaseMs).unref()
  }

  #whole (reply: FastifyReply, body: string | Uint8Array, kept: Kept): unknown {
    const response = this.#responseOf(body, kept)
    this.#say(reply, response !== undefined)
    // A HEAD whose handler sends nothing has not said what a GET would be.
    const empty = reply.request.method === 'HEAD' && body.length === 0
    this.#settleWhenLeft(this.#isNobodys(reply), kept, Promise.resolve(empty ? undefined : response))
    if (this.#task.unread) return ''
    if (response === undefined) return body
    reply.header('etag', response.etag)
    if (reply.statusCode !== 200 || !isNotModified(reply.request.headers, response)) return body
    for (const name of ofTheBody) reply.removeHeader(name)
    reply.code(304)
    return null
  }

  #stream (reply: FastifyReply, source: Readable, kept: Kept): unknown {
    const { client, body } = tee(source, this.#task.maxBytes)
    this.#streaming = true
    reply.header('cache-status', appended(reply.getHeader('cache-status'), forwardStatus(this.#task.forward)))
    const stored = body.then(bytes => bytes === undefined ? undefined : this.#responseOf(bytes, kept)).catch(() => undefined)
    this.#settleWhenLeft(this.#isNobodys(reply, client), kept, stored)
    if (!this.#task.unread) return client
    client.destroy()
    return ''
  }

  #settleWhenLeft (nobodys: Promise<boolean>, { candidate }: Kept, stored: Promise<StoredResponse | undefined>): void {
    const settle = (response: StoredResponse | undefined) => this.#settle({ candidate, response })
    Promise.all([nobodys, stored]).then(([shared, response]) => settle(shared ? response : undefined), () => settle(undefined))
  }

  /**
   * Whether the answer has no cookie of another plugin: known when its head leaves, which may be long after a stream has ended.
   * @param client - the stream on its way to a client; to one who has left no head is sent, but the stream is closed after all hooks
   */
  #isNobodys ({ raw }: FastifyReply, client?: Readable): Promise<boolean> {
    return new Promise(resolve => {
      let known = false
      const look = (headers?: unknown) => {
        known = true
        resolve(!raw.hasHeader('set-cookie') && !(typeof headers === 'object' && headers !== null && 'set-cookie' in headers))
      }
      const { writeHead } = raw
      raw.writeHead = (...args: unknown[]) => {
        raw.writeHead = writeHead
        look(args.at(-1))
        return (writeHead as (...all: unknown[]) => typeof raw).apply(raw, args)
      }
      const left = () => {
        if (known) return
        if (client?.closed === true) look()
        client?.once('close', () => look())
        setTimeout(() => resolve(false), this.#task.leaseMs).unref()
      }
      if (this.#left) left()
      else raw.once('close', left)
    })
  }

  /** A stream without end, or of a HEAD that may have been asked of another server, is not kept. */
  #mayTee (reply: FastifyReply, { sent }: Candidate): boolean {
    const length = Number(sent['content-length'] ?? 0)
    return reply.request.method !== 'HEAD' && length <= this.#task.maxBytes && !String(sent['content-type']).startsWith('text/event-stream')
  }

  #responseOf (body: string | Uint8Array, { candidate, life }: Kept): StoredResponse | undefined {
    const { status, before, sent, final } = candidate
    const bytes = Buffer.byteLength(body)
    // RFC 9111, 3.3: one that is shorter than it said is incomplete.
    if (bytes > this.#task.maxBytes || (sent['content-length'] !== undefined && Number(sent['content-length']) !== bytes)) return undefined
    const headers = headersToStore(before, sent, final)
    return { status, headers, body, etag: one(headers['etag']) ?? etagOf(body, headers), atMs: this.#task.nowMs(), life }
  }

  #say (reply: FastifyReply, stored: boolean): void {
    reply.header('cache-status', appended(reply.getHeader('cache-status'), forwardStatus(this.#task.forward, { status: reply.statusCode, stored })))
  }
}

interface Kept { readonly candidate: Candidate, readonly life: Lifetime }

/** @fastify/reply-from sends nothing for a client that has left; but others may wait for this answer, and it is to be stored. */
function outliveClient ({ request: { raw } }: FastifyReply): void {
  Object.defineProperty(raw, 'aborted', { configurable: true, get: () => false, set: () => undefined })
}

function one (header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

function dropped (payload: unknown): string {
  if (payload instanceof Readable) payload.once('error', () => undefined).destroy()
  return ''
}
