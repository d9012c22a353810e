import { once } from 'node:events'
import { connect } from 'node:net'

/** How often a command came from a client and how often from inside a script. */
export interface Origins { sent: number, inner: number }

/** A line of MONITOR: time, [database address], "COMMAND", the rest; the address of what a script calls is `lua`. */
const line = /^\+?\d+\.\d+ \[\d+ (\S+)\] "([^"]+)"/

/** Counts what a piece of MONITOR's output tells; returns the unfinished rest of its last line. */
export function countOrigins (origins: Map<string, Origins>, output: string): string {
  const lines = output.split('\r\n')
  const rest = lines.pop()!
  for (const text of lines) {
    const [, address, command] = line.exec(text) ?? []
    if (command === undefined) continue
    const name = command.toLowerCase()
    const count = origins.get(name) ?? { sent: 0, inner: 0 }
    count[address === 'lua' ? 'inner' : 'sent']++
    origins.set(name, count)
  }
  return rest
}

/** The share of a command's calls that clients sent; what was never seen, such as a subcommand (`client|list`), counts as sent. */
export function sentShareOf (origins: ReadonlyMap<string, Origins>): (command: string) => number {
  return command => {
    const { sent, inner } = origins.get(command) ?? { sent: 1, inner: 0 }
    return sent / (sent + inner)
  }
}

/**
 * Watches a server by MONITOR while `work` runs. It slows the server down: for warm-up only, never for what is measured.
 */
export async function watchOrigins (port: number, work: () => Promise<unknown>): Promise<ReadonlyMap<string, Origins>> {
  const origins = new Map<string, Origins>()
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let rest = ''
  socket.setEncoding('latin1').on('data', output => { rest = countOrigins(origins, rest + String(output)) })
  socket.write('MONITOR\r\n')
  await once(socket, 'data')
  try {
    await work()
  } finally {
    socket.destroy()
  }
  return origins
}
