import type { Node } from '../clients/adapter.ts'
import type { Glob } from '../glob.ts'
import type { Script } from '../script.ts'
import type { BreakerState } from './breaker.ts'
import { commandKey } from './command-key.ts'
import type { Deadlines } from './deadlines.ts'
import type { Features } from './features.ts'
import type { Link, LinkCallback, LinkState, RedisArg } from './link.ts'
import { ScriptRunner } from './script-runner.ts'
import { Server, type ServerOptions } from './server.ts'

/** The guarded way to a server. */
export class RedisLink implements Link {
  readonly embedded = false
  readonly deadlineMs: number
  readonly #server: Server
  readonly #scripts: ScriptRunner
  readonly #deadlines: Deadlines

  constructor (server: Server, scripts: ScriptRunner, deadlineMs: number) {
    this.#server = server
    this.#scripts = scripts
    this.deadlineMs = deadlineMs
    this.#deadlines = server.guard.deadlines(deadlineMs)
  }

  get state (): LinkState { return this.#server.status.state }
  get reason (): string | undefined { return this.#server.status.reason }
  get generation (): number { return this.#server.status.generation }
  get topologyVersion (): number { return this.#server.adapter.topologyVersion }
  get features (): Features { return this.#server.watch.features }
  get breakerState (): BreakerState { return this.#server.guard.breaker.state }

  within (deadlineMs: number): Link {
    return deadlineMs === this.deadlineMs ? this : new RedisLink(this.#server, this.#scripts, deadlineMs)
  }

  send (command: string, ...args: RedisArg[]): Promise<unknown> {
    return this.#send(command, args, { bytes: false })
  }

  sendBytes (command: string, ...args: RedisArg[]): Promise<unknown> {
    return this.#send(command, args, { bytes: true })
  }

  run (script: Script, keys: readonly RedisArg[], args: readonly RedisArg[]): Promise<unknown> {
    return promised(callback => this.call(script, keys, args, callback))
  }

  call (script: Script, keys: readonly RedisArg[], args: readonly RedisArg[], callback: LinkCallback): void {
    this.#scripts.run({ script, keys, args, deadlines: this.#deadlines }, callback)
  }

  soon (work: () => void): void {
    this.#server.adapter.soon(work)
  }

  async scan (pattern: Glob, onKeys: (keys: string[]) => void | Promise<void>): Promise<void> {
    for (const node of this.#server.adapter.masters()) {
      let cursor = '0'
      do {
        const [next, found] = await this.#send('SCAN', [cursor, 'MATCH', pattern.match, 'COUNT', 1_000], { bytes: false, node }) as [string, string[]]
        cursor = next
        const meant = found.filter(key => pattern.test(key))
        if (meant.length > 0) await onKeys(meant)
      } while (cursor !== '0')
    }
  }

  eraOf (key: string): string | undefined {
    return this.#server.watch.eraOf(key)
  }

  on (event: 'state' | 'generation', listener: (...args: never[]) => void): () => void {
    return this.#server.status.on(event, listener)
  }

  /** Waits for what is under way, at most one deadline; then its connections are closed. */
  close (): Promise<void> {
    return this.#server.close()
  }

  #send (command: string, args: readonly RedisArg[], { bytes, node }: { bytes: boolean, node?: Node }): Promise<unknown> {
    const name = command.toUpperCase()
    const question = { label: name, name, args, key: commandKey(name, args), bytes, redirect: 'follow' as const, deadlines: this.#deadlines, node }
    return promised(callback => this.#server.guard.exec(question, callback))
  }
}

function promised (ask: (callback: LinkCallback) => void): Promise<unknown> {
  return new Promise((resolve, reject) => ask((error, reply) => {
    if (error === null) resolve(reply)
    else reject(error)
  }))
}

/** The guarded way to the server of an adapter; it begins to connect at once. */
export function createRedisLink (options: ServerOptions): RedisLink {
  const server = new Server(options)
  return new RedisLink(server, new ScriptRunner(server), options.deadlineMs)
}
