import type { Adapter, Node } from '../clients/adapter.ts'
import { replyOf, wordsOf } from './failures.ts'
import { type Features, noFeatures } from './features.ts'
import type { RedisArg } from './link.ts'
import { type Answer, askState, commonFeatures, probe } from './probe.ts'
import { askScripts, type ScriptAnswer } from './script-question.ts'

const everyMs = 1_000

interface Known extends Answer { readonly scripts: ScriptAnswer }

/** Keeps asking the servers who they are: before they serve, after whatever may have changed it, and once a second. */
export class ServerWatch {
  readonly #adapter: Adapter
  readonly #changed: () => void
  readonly #known = new Map<string, Known>()
  readonly #timer: NodeJS.Timeout
  #refusesScripts = false
  #doubts = 0
  #round = 0
  #asking = false
  features: Features = noFeatures
  /** Why a server cannot do its work; by its own word. */
  trouble: string | undefined
  /** Whether one was a replica when it was last asked. */
  replica = false
  /** Whether every server has been asked since its connection was made. */
  complete = false

  /** @param changed - told when features, trouble or completeness may have changed */
  constructor (adapter: Adapter, changed: () => void) {
    this.#adapter = adapter
    this.#changed = changed
    this.#timer = setInterval(() => this.#ask(false), everyMs).unref()
  }

  /** The era of the server of a key. */
  eraOf (key: string): string | undefined {
    const name = this.#adapter.nodeOf(key)?.name
    return name === undefined ? undefined : this.#known.get(name)?.era
  }

  /** With which error the server of these keys refuses every script. */
  scriptRefusal (keys: readonly RedisArg[]): Error | undefined {
    if (!this.#refusesScripts) return undefined
    const node = keys.length === 0 ? this.#adapter.masters()[0] : this.#adapter.nodeOf(String(keys[0]))
    const scripts = node && this.#known.get(node.name)?.scripts
    return scripts === 'runs' ? undefined : scripts
  }

  /** Something was refused that its user may not do: the next look asks whether scripts are. */
  doubtScripts (): void {
    this.#doubts++
    for (const [name, answer] of this.#known) if (answer.scripts === 'runs') this.#known.set(name, { ...answer, scripts: undefined })
  }

  /** Nothing that was learnt holds any more. */
  forget (): void {
    this.#round++
    this.#asking = false
    this.#known.clear()
    this.complete = false
    this.trouble = undefined
    this.#refusesScripts = false
  }

  /** A connection was made, or a server said that it is not what it was. */
  renew (): void {
    this.forget()
    this.#ask(true)
  }

  /** The masters are others than before; those that stayed are still known. */
  follow (): void {
    const names = new Set(this.#adapter.masters().map(({ name }) => name))
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name)
    this.#asking = false
    this.#round++
    this.#ask(true)
  }

  /** Asks now, unless a question is under way. */
  look (): void {
    this.#ask(false)
  }

  close (): void {
    this.#round++
    clearInterval(this.#timer)
  }

  #ask (now: boolean): void {
    if (!this.#adapter.connected || (this.#asking && !now)) return
    const round = ++this.#round
    this.#asking = true
    Promise.all(this.#adapter.masters().map(node => this.#askOne(node, round))).then(troubles => {
      if (round !== this.#round) return
      this.#asking = false
      this.trouble = troubles.find(trouble => trouble !== undefined)
      const all = this.#adapter.masters().map(({ name }) => this.#known.get(name))
      this.#refusesScripts = all.some(answer => answer?.scripts instanceof Error)
      if (all.some(answer => answer !== undefined)) this.replica = all.some(answer => answer?.replica === true)
      this.complete = all.length > 0 && all.every(answer => answer !== undefined)
      if (this.complete) this.features = commonFeatures(all.map(answer => answer!.features))
      this.#changed()
    }, () => {}) // it tells of failures by its value
  }

  /** @returns why this server cannot work */
  async #askOne (node: Node, round: number): Promise<string | undefined> {
    const before = this.#known.get(node.name)
    const doubts = this.#doubts
    try {
      const [answer, scripts] = await Promise.all([
        before === undefined ? probe(node, this.#adapter.cluster) : askState(node).then(state => ({ ...before, ...state })),
        before?.scripts === 'runs' ? before.scripts : askScripts(node)
      ])
      // What was learnt before the doubt does not settle it.
      const doubted = scripts === 'runs' && doubts !== this.#doubts
      if (round === this.#round) this.#known.set(node.name, { ...answer, scripts: doubted ? undefined : scripts })
      return answer.trouble ?? (scripts instanceof Error ? `it refuses scripts: ${wordsOf(scripts)}` : undefined)
    } catch (error) {
      if (round === this.#round) this.#known.delete(node.name)
      const message = (error as Error).message
      return replyOf(error as Error) === undefined ? `${node.name} does not answer` : message
    }
  }
}
