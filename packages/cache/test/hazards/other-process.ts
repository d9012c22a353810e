import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import type { CachePluginOptions } from '@respite/cache'
import type { GetOrSetOptions } from '../../src/get-or-set-options.ts'
import type { Where } from '../assemble.ts'

/** What a process is told, and what it answers. */
export type Question = { id: number, call: string, args?: unknown[] } | { go: number }
export type Answer = { ready: true } | { began: number } | { id: number, answer?: unknown, error?: string }

/** A run of `getOrSet` in another process. */
export interface Load {
  /** Resolves when its factory runs. */
  readonly began: Promise<void>
  /** Lets the factory return. */
  go (): void
  readonly answer: Promise<unknown>
}

/** A cache in a process of its own. */
export interface OtherProcess {
  /** Calls a method of the cache; what goes over is JSON. */
  call (method: string, ...args: unknown[]): Promise<unknown>
  /** `getOrSet` with a factory that gives this value when it is told to. */
  load (key: string, value: unknown, options?: GetOrSetOptions): Load
  /** SIGSTOP. */
  freeze (): void
  /** SIGCONT. */
  thaw (): void
}

interface Caller { resolve (answer: unknown): void, reject (error: Error): void, began?: () => void }

/**
 * Starts it, and ends it with the test.
 * @param clockOffsetMs - how far its Date is from that of this process
 */
export async function startProcess (t: Test, where: Where, given: { options?: CachePluginOptions, clockOffsetMs?: number } = {}): Promise<OtherProcess> {
  const { options = {}, clockOffsetMs = 0 } = given
  const env = { ...process.env, CACHE_PROCESS: JSON.stringify({ where, options }), CLOCK_OFFSET_MS: String(clockOffsetMs) }
  const child = fork(new URL('./process.ts', import.meta.url), [], { env })
  const callers = new Map<number, Caller>()
  let lastId = 0
  const ready = once(child, 'message')
  child.on('message', (answer: Answer) => {
    if ('began' in answer) callers.get(answer.began)?.began?.()
    if (!('id' in answer)) return
    const caller = callers.get(answer.id)!
    callers.delete(answer.id)
    if (answer.error === undefined) caller.resolve(answer.answer)
    else caller.reject(new Error(answer.error))
  })
  t.teardown(async () => {
    child.kill('SIGCONT')
    if (child.exitCode !== null || child.signalCode !== null) return
    child.disconnect()
    await once(child, 'exit')
  })
  await ready
  const ask = (call: string, args: unknown[], began?: () => void): [number, Promise<unknown>] => {
    const id = ++lastId
    const answer = new Promise<unknown>((resolve, reject) => { callers.set(id, { resolve, reject, ...(began === undefined ? {} : { began }) }) })
    child.send({ id, call, args } satisfies Question)
    return [id, answer]
  }
  return {
    call: (method, ...args) => ask(method, args)[1],
    load (key, value, loading = {}) {
      let begin!: () => void
      const began = new Promise<void>(resolve => { begin = resolve })
      const [id, answer] = ask('load', [key, value, loading], begin)
      return { began, answer, go: () => { child.send({ go: id } satisfies Question) } }
    },
    freeze: () => { child.kill('SIGSTOP') },
    thaw: () => { child.kill('SIGCONT') }
  }
}
