import type { Node } from '../clients/adapter.ts'
import type { Script } from '../script.ts'
import type { Deadlines } from './deadlines.ts'
import { down, failureOf, timedOut } from './failures.ts'
import type { LinkCallback, RedisArg } from './link.ts'
import type { Server } from './server.ts'

/** A run of a script. */
export interface Run {
  readonly script: Script
  readonly keys: readonly RedisArg[]
  readonly args: readonly RedisArg[]
  readonly deadlines: Deadlines
}

/** Runs scripts by their SHA-1; a server that does not know one is given the source once, for all waiters. */
export class ScriptRunner {
  readonly #server: Server
  readonly #loading = new Map<string, LinkCallback[]>()

  constructor (server: Server) {
    this.#server = server
  }

  run (run: Run, callback: LinkCallback): void {
    const refusal = this.#server.watch.scriptRefusal(run.keys)
    // Whoever asks has something to do instead, and need not wait for an answer that is known.
    if (refusal !== undefined) setImmediate(callback, failureOf(run.script.name, refusal))
    else this.#ask(run, callback)
  }

  #ask (run: Run, callback: LinkCallback): void {
    this.#eval(run, (error, reply) => {
      if (error === null || (error as { reply?: string }).reply !== 'NOSCRIPT') callback(error, reply)
      else this.#again(run, callback)
    })
  }

  #eval ({ script, keys, args, deadlines }: Run, callback: LinkCallback): void {
    const { sha } = this.#server.watch.features.scriptFlags ? script.flagged : script
    this.#server.guard.exec({
      label: script.name,
      name: 'EVALSHA',
      args: [sha, keys.length, ...keys, ...args],
      key: keys.length === 0 ? undefined : String(keys[0]),
      bytes: script.reply === 'bytes',
      redirect: script.redirect,
      deadlines
    }, callback)
  }

  /** Seldom, so it may have a timer of its own: the whole of it has one deadline more. */
  #again (run: Run, callback: LinkCallback): void {
    const { script, deadlines: { deadlineMs } } = run
    let over = false
    const finish: LinkCallback = (error, reply) => {
      if (over) return
      over = true
      clearTimeout(timer)
      callback(error, reply)
    }
    const timer = setTimeout(() => finish(timedOut(script.name, deadlineMs)), deadlineMs)
    this.#load(run, error => {
      if (error !== null) finish(error)
      else if (!over) this.#eval(run, finish)
    })
  }

  #load ({ script, keys, deadlines }: Run, callback: LinkCallback): void {
    const node = this.#nodeOf(keys)
    if (node === undefined) {
      callback(down(script.name))
      return
    }
    const { sha, lua } = this.#server.watch.features.scriptFlags ? script.flagged : script
    const id = `${node.name} ${sha}`
    const waiting = this.#loading.get(id)
    if (waiting !== undefined) {
      waiting.push(callback)
      return
    }
    const waiters = [callback]
    this.#loading.set(id, waiters)
    this.#server.guard.exec({ label: 'SCRIPT', name: 'SCRIPT', args: ['LOAD', lua], key: undefined, bytes: false, redirect: 'refuse', deadlines, node }, (error, reply) => {
      this.#loading.delete(id)
      for (const waiter of waiters) waiter(error, reply)
    })
  }

  #nodeOf (keys: readonly RedisArg[]): Node | undefined {
    const { adapter } = this.#server
    return keys.length === 0 ? adapter.masters()[0] : adapter.nodeOf(String(keys[0]))
  }
}
