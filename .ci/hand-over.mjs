// The last step of a command: the program it has built goes on in its place.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './install.mjs'

/** Runs a program of the repository with the arguments of this command or others, hands signals on to it, and ends as it ends. */
export function handOver (file, args = process.argv.slice(2)) {
  const program = spawn(process.execPath, [join(root, file), ...args], { stdio: 'inherit' })
  let told = false
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      told = true
      program.kill(signal)
    })
  }
  // Ended by a signal that it was not told to end by: killed.
  program.on('exit', code => process.exit(code ?? (told ? 0 : 1)))
}
