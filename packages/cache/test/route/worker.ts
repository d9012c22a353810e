import type { AddressInfo } from 'node:net'
import type { Duration } from '@respite/redis'
import { assemble } from '../assemble.ts'

/** What a worker tells: that it listens, and that its handler runs and waits for a row. */
export type Told = { readonly port: number } | { readonly running: number }
/** What it is told: what its handler answers, by the number that it gave. */
export interface Row { readonly running: number, readonly row: string }

// A process of its own: one cached route, whose handler asks the test for its row, and an unsafe one of the same path.
const { WORKER_REDIS_URL: url, WORKER_LEASE: lease } = process.env
const app = await assemble({ url: url!, boot: 'wait' }, { lease: lease as Duration })
const rows = new Map<number, (row: string) => void>()
let runs = 0
const tell = (told: Told) => { process.send!(told) }

app.get('/rows/:id', { config: { cache: { ttl: '1h', host: false } } }, () => new Promise(resolve => {
  rows.set(++runs, resolve)
  tell({ running: runs })
}))
app.put('/rows/:id', async () => ({}))

process.on('message', ({ running, row }: Row) => { rows.get(running)?.(row) })
process.once('disconnect', () => process.exit(0))
await app.listen({ port: 0, host: '127.0.0.1' })
tell({ port: (app.server.address() as AddressInfo).port })
