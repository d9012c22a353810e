import { MemoryStore } from '../../src/stores/memory.ts'
import type { LimitStore } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'

/** A store that can be away, and remembers what it was asked to take back. */
export class AwayStore implements LimitStore {
  away = false
  readonly refunded: string[] = []
  readonly #store = new MemoryStore({ clock: fakeClock(), maxKeys: 1_000 })

  take (...[checks, callback]: Parameters<LimitStore['take']>): void {
    if (this.away) callback(new TypeError('away'))
    else this.#store.take(checks, callback)
  }

  peek (...[checks, callback]: Parameters<LimitStore['peek']>): void {
    if (this.away) callback(new TypeError('away'))
    else this.#store.peek(checks, callback)
  }

  async refund (charges: Parameters<LimitStore['refund']>[0]): Promise<void> {
    if (this.away) throw new TypeError('away')
    this.refunded.push(...charges.map(({ rule, cost }) => `${rule.name} ${cost}`))
    await this.#store.refund(charges)
  }

  async renew (held: Parameters<LimitStore['renew']>[0]): Promise<void> {
    if (this.away) throw new TypeError('away')
    await this.#store.renew(held)
  }

  async block (...args: Parameters<LimitStore['block']>): Promise<void> {
    if (this.away) throw new TypeError('away')
    await this.#store.block(...args)
  }

  async reset (...args: Parameters<LimitStore['reset']>): Promise<void> {
    if (this.away) throw new TypeError('away')
    await this.#store.reset(...args)
  }
}
