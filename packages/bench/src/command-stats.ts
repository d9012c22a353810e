/** One line of `INFO commandstats`. */
export interface CommandStat { calls: number, micros: number }

/** Commands by name, subcommands as `config|get`. */
export type CommandStats = ReadonlyMap<string, CommandStat>

/** Reads the answer of `INFO commandstats`. */
export function parseCommandStats (info: string): CommandStats {
  const stats = new Map<string, CommandStat>()
  for (const [, name, calls, micros] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)) {
    stats.set(name!.toLowerCase(), { calls: Number(calls), micros: Number(micros) })
  }
  return stats
}

/** What happened between two readings; commands that were not called are left out, and so is INFO, which is the reading itself. */
export function commandsBetween (before: CommandStats, after: CommandStats): CommandStats {
  const between = new Map<string, CommandStat>()
  for (const [name, { calls, micros }] of after) {
    const was = before.get(name) ?? { calls: 0, micros: 0 }
    if (name !== 'info' && calls > was.calls) between.set(name, { calls: calls - was.calls, micros: micros - was.micros })
  }
  return between
}

/**
 * The calls that clients sent. `INFO commandstats` also counts what scripts call inside the server, which costs no way to Redis.
 * @param sentShare - of a command, the share of its calls that came from a client, 0 to 1
 */
export function callsSent (stats: CommandStats, sentShare: (command: string) => number): number {
  let sum = 0
  for (const [name, { calls }] of stats) sum += calls * sentShare(name)
  return sum
}
