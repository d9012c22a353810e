import { randomToken } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import type { Readable } from 'node:stream'
import { questionsOf } from './answers.ts'
import { type Answers, type History, keptSeconds, type Sample, sampleFields, type SampleRow, type Second } from './frame.ts'
import { Latencies } from './latencies.ts'
import { MetricValues } from './metric-values.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { Ring } from './ring.ts'
import { Sampler } from './sampler.ts'
import { totalsOf, type TotalsSources } from './totals.ts'
import { Viewers } from './viewers.ts'

const sampleEveryMs = 1_000
const askEverySamples = 5

/** Looks at the metrics once a second, keeps 15 minutes, and tells whoever looks on; stores are asked only while somebody does. */
export class Broadcast {
  readonly viewers = new Viewers()
  readonly #app: FastifyInstance
  readonly #rows = new Ring<SampleRow>(keptSeconds)
  // Numbers start anew with the process: a browser that comes back to another one must not take them for its own.
  readonly #run = randomToken()
  readonly #ask: () => Promise<Answers>
  readonly #sources: TotalsSources
  #sampler: Sampler | undefined
  #timer: NodeJS.Timeout | undefined
  #sampling = false
  #answers: Answers | null = null
  #asked: Promise<void> = Promise.resolve()

  constructor (app: FastifyInstance, pseudonyms: Pseudonyms) {
    const values = new MetricValues(app.respite.metrics)
    this.#app = app
    this.#ask = questionsOf(app, pseudonyms)
    this.#sources = { app, values, pseudonyms, latencies: new Latencies(values) }
  }

  /** Begins to look. */
  start (): void {
    const { values, latencies } = this.#sources
    this.#sampler = new Sampler(values, latencies, this.#app.respite.clock)
    this.#timer = setInterval(() => this.#tick(), sampleEveryMs).unref()
  }

  /** Ends all streams at once; resolves when no store is being asked any more, so that they can be closed. */
  async close (): Promise<void> {
    clearInterval(this.#timer)
    this.#sources.values.close()
    this.viewers.close()
    await this.#asked
  }

  /**
   * A new viewer.
   * @param lastId - of the last event that the browser has; what came after it is told, or everything
   * @param untilMs - until when it may look, in milliseconds since the epoch
   */
  join (lastId: string | undefined, untilMs: number): Readable {
    const newest = this.#rows.newest
    // What the stores said to an earlier viewer may be long past.
    if (this.viewers.size === 0) this.#answers = null
    const has = this.#numberOf(lastId)
    const data: History = { rows: this.#rows.after(has), resumed: has !== undefined, totals: totalsOf(this.#sources), answers: this.#answers, signedIn: untilMs !== Infinity }
    const stream = this.viewers.add({ event: 'history', data, id: this.#idOf(newest) }, untilMs)
    if (this.viewers.size === 1) this.#askSoon()
    return stream
  }

  #idOf (number: number): string {
    return `${this.#run}:${number}`
  }

  #numberOf (id: string | undefined): number | undefined {
    const [run, number] = id?.split(':') ?? []
    return run === this.#run && this.#rows.follows(Number(number)) ? Number(number) : undefined
  }

  async #tick (): Promise<void> {
    if (this.#sampling) return
    this.#sampling = true
    try {
      const number = this.#rows.push(rowOf(await this.#sampler!.take()))
      if (this.viewers.size === 0) return
      const data: Second = { row: this.#rows.at(number)!, totals: totalsOf(this.#sources) }
      this.#tell({ event: 'second', data, id: this.#idOf(number) })
      if (number % askEverySamples === 0) this.#askSoon()
    } catch (error) {
      // Nothing of the dashboard may end the app it looks at.
      this.#app.log.warn({ err: error }, 'a second of the dashboard is missing')
    } finally {
      this.#sampling = false
    }
  }

  // One after the other: what is told is what was asked last.
  #askSoon (): void {
    this.#asked = this.#asked.then(async () => {
      if (this.viewers.size === 0) return
      this.#answers = await this.#ask()
      this.#tell({ event: 'answers', data: this.#answers })
    }).catch((error: unknown) => { this.#app.log.warn({ err: error }, 'the dashboard could not ask the stores') })
  }

  #tell (event: { event: string, data: unknown, id?: string }): void {
    this.viewers.tell(event, this.#app.respite.clock.wallMs())
  }
}

// Four digits are more than a chart shows; whole numbers are counts and times, and stay as they are.
const short = (value: number | null) => value === null || Number.isInteger(value) ? value : Number(value.toPrecision(4))

const rowOf = (sample: Sample): SampleRow => sampleFields.map(field => short(sample[field]))
