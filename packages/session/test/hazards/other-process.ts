import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { SessionOptions } from '@respite/session'

/** Where the sessions of several processes are. */
export interface Shared {
  readonly url: string
  /** A SQLite file. */
  readonly file: string
}

/** What a process is told, and what it answers. */
export interface Question { readonly id: number, readonly call: 'inject' | 'logins' | 'journey' | 'now', readonly args: readonly unknown[] }
export type Told = { readonly ready: true } | { readonly said: string } | { readonly id: number, readonly answer?: unknown, readonly error?: string }

/** What came back of a request. */
export interface Injected { readonly statusCode: number, readonly body: string, readonly cookies: string | undefined }

/** An app with sessions in a process of its own. */
export interface OtherProcess {
  inject (request: { url: string, method?: string, headers?: Record<string, string>, payload?: unknown }): Promise<Injected>
  /** Logs a user in this many times at once; gives the tokens. */
  logins (user: string, times: number): Promise<string[]>
  /** Milliseconds since the epoch, by its own clock. */
  now (): Promise<number>
  /** Goes through a session's life, and tells of it in `said`. */
  journey (user: string): Promise<unknown>
  readonly said: readonly string[]
  readonly child: ChildProcess
}

/** What is asked of a process beside its app. */
export interface Manner {
  readonly options?: SessionOptions
  /** How far its Date is from that of this process. */
  readonly clockOffsetMs?: number
  /** It dies by SIGKILL after this many commands to Redis of its journey. */
  readonly diesAfter?: number
}

/** A file of the test's own. */
export function ownFile (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'respite-hazards-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'sessions.db')
}

/** Starts it, and ends it with the test. */
export async function startProcess (t: Test, shared: Shared, { options = {}, clockOffsetMs = 0, diesAfter = 0 }: Manner = {}): Promise<OtherProcess> {
  const env = { ...process.env, SESSION_PROCESS: JSON.stringify({ shared, options, diesAfter }), CLOCK_OFFSET_MS: String(clockOffsetMs) }
  const child = fork(new URL('./process.ts', import.meta.url), [], { env })
  const callers = new Map<number, { resolve (answer: unknown): void, reject (error: Error): void }>()
  const said: string[] = []
  let lastId = 0
  const ready = once(child, 'message')
  child.on('message', (told: Told) => {
    if ('said' in told) said.push(told.said)
    if (!('id' in told)) return
    const caller = callers.get(told.id)!
    callers.delete(told.id)
    if (told.error === undefined) caller.resolve(told.answer)
    else caller.reject(new Error(told.error))
  })
  const gone = once(child, 'exit').then(() => {
    for (const { reject } of callers.values()) reject(new Error('the process is gone'))
  })
  t.teardown(async () => {
    if (child.connected) child.disconnect()
    await gone
  })
  await ready
  const ask = (call: Question['call'], ...args: unknown[]) => new Promise<unknown>((resolve, reject) => {
    const id = ++lastId
    callers.set(id, { resolve, reject })
    child.send({ id, call, args } satisfies Question)
  })
  return {
    inject: request => ask('inject', request) as Promise<Injected>,
    logins: (user, times) => ask('logins', user, times) as Promise<string[]>,
    now: () => ask('now') as Promise<number>,
    journey: user => ask('journey', user),
    said,
    child
  }
}
