import type { LinkError } from '../errors.ts'
import type { Link } from '../link/link.ts'
import { loadScript } from '../script.ts'
import type { ReadingLanes } from '../streams/reading-lanes.ts'
import { RedisWorkPlace } from './redis-work-place.ts'
import { isDeathReason, type ResolvedQueueOptions } from './queue.ts'
import type { DeadMessage, JobTaker, QueueStore, WorkPlace } from './queue-store.ts'

const script = (name: string) => loadScript(`bus.queue-${name}`, new URL(`../../lua/queue-${name}.lua`, import.meta.url))
const adding = script('add')
const redriving = script('redrive')
const opening = script('open')

/** What a queue on a server needs. */
export interface RedisQueueTools {
  queueKey: string
  deadKey: string
  /** This instance's name in the consumer group. */
  worker: string
  options: ResolvedQueueOptions
  link: Link
  lanes: ReadingLanes
  /** Jobs were taken over from a silent worker, or given up, since it had their last try. */
  onClaimed (reclaimed: number, dead: number): void
  /** It cannot be read. */
  broken (error: Error): void
}

/** The jobs of a queue in a stream with a consumer group: waiting ones nobody was given yet, those at work are pending. */
export class RedisQueueStore implements QueueStore {
  readonly #tools: RedisQueueTools

  constructor (tools: RedisQueueTools) {
    this.#tools = tools
  }

  async add (message: string): Promise<string | undefined> {
    const { link, queueKey, options: { maxPending, keep } } = this.#tools
    return await link.run(adding, [queueKey], [message, maxPending, keep]) as string | null ?? undefined
  }

  async work (taker: JobTaker): Promise<WorkPlace> {
    const place = new RedisWorkPlace(this.#tools, taker, () => this.#open())
    // While Redis is away the group is made later, by whoever finds it missing.
    await this.#open().catch((error: LinkError) => { if (error.reply === 'WRONGTYPE') throw error })
    place.start()
    return place
  }

  async counts (): Promise<{ pending: number, dead: number }> {
    const { link, queueKey, deadKey } = this.#tools
    const [pending, dead] = await Promise.all([link.send('XLEN', queueKey), link.send('XLEN', deadKey)])
    return { pending: Number(pending), dead: Number(dead) }
  }

  async dead (count: number, after: string | undefined): Promise<DeadMessage[]> {
    const { link, deadKey } = this.#tools
    const entries = await link.sendBytes('XRANGE', deadKey, after === undefined ? '-' : `(${after}`, '+', 'COUNT', count) as [Buffer, Buffer[]][]
    return entries.map(([id, [, message, , tries, , why]]) => {
      const reason = String(why)
      // Somebody else's has whatever it has.
      return { id: id.toString(), message: message!, attempts: Number(tries) || 0, reason: isDeathReason(reason) ? reason : 'malformed' }
    })
  }

  async redrive (ids: readonly string[]): Promise<number> {
    const { link, queueKey, deadKey, options: { maxPending, keep } } = this.#tools
    return Number(await link.run(redriving, [queueKey, deadKey], [maxPending, keep, ...ids]))
  }

  async discard (ids: readonly string[]): Promise<number> {
    const { link, deadKey } = this.#tools
    return Number(await link.send('XDEL', deadKey, ...ids))
  }

  async #open (): Promise<void> {
    const { link, queueKey, options: { keep } } = this.#tools
    await link.run(opening, [queueKey], [keep])
  }
}
