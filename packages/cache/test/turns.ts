import type { Link } from '@respite/redis'

/** What an app asks of Redis: commands, and round trips, each a set of commands sent before any of them was answered. */
export interface Turns { commands: number, roundTrips: number }

/** Counts what `work` sends over a link for the cache; the bus and the health of the link have their own times. */
export async function turnsOf (link: Link, work: () => Promise<unknown>): Promise<Turns> {
  const turns = { commands: 0, roundTrips: 0 }
  let answered = true
  const counted = <Args extends unknown[]>(method: (...args: Args) => Promise<unknown>) => (...args: Args) => {
    if (!JSON.stringify(args).includes('cache')) return method.apply(link, args)
    turns.commands++
    if (answered) turns.roundTrips++
    answered = false
    return method.apply(link, args).finally(() => { answered = true })
  }
  const own = link as { run: Link['run'], send: Link['send'] }
  const { run, send } = own
  Object.assign(own, { run: counted(run), send: counted(send) })
  try {
    await work()
  } finally {
    Object.assign(own, { run, send })
  }
  return turns
}
