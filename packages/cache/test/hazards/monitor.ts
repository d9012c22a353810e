import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'

/** A command that a server has executed, as MONITOR shows it. */
export interface Executed {
  readonly name: string
  readonly args: readonly string[]
  /** Whether a script has called it, not a client. */
  readonly inScript: boolean
}

/** Whatever a server executes from now on. By a socket of our own: the client mixes up the answer with what comes right after it. */
export async function monitorOf (t: Test, port: number): Promise<readonly Executed[]> {
  const seen: Executed[] = []
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  let rest = ''
  let begin!: () => void
  const began = new Promise<void>(resolve => { begin = resolve })
  socket.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\r\n')
    rest = lines.pop()!
    for (const line of lines) {
      if (line === '+OK') begin()
      const [name = '', ...args] = Array.from(line.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, word]) => word!)
      if (name !== '') seen.push({ name: name.toLowerCase(), args, inScript: line.includes(' lua] ') })
    }
  })
  socket.write('MONITOR\r\n')
  await began
  return seen
}
