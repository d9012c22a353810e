// Installs a program where this process may: on Debian, as root.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** @param timeoutMs - for each of the two steps; without it they take what they take */
export function aptInstall (name, { timeoutMs } = {}) {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) return
  console.log(`installing ${name} by apt-get`)
  const options = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: timeoutMs }
  spawnSync('apt-get', ['update', '-q'], options)
  // --no-install-recommends, and no service: only the program is wanted.
  spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], options)
}
