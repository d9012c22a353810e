// Sees to it that the tests find a Redis server program: tests start their own servers with it, on free ports.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
const present = () => works('redis-server', '--version') || works('valkey-server', '--version')

if (!present() && existsSync('/etc/debian_version') && process.getuid?.() === 0) {
  console.log('installing redis-server by apt-get')
  const options = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  spawnSync('apt-get', ['update', '-q'], options)
  // --no-install-recommends, and no service: only the program is wanted.
  spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'redis-server'], options)
}
if (!present()) {
  console.error('The tests need redis-server or valkey-server on PATH: install one, for example "apt-get install redis-server" or "brew install redis".')
  process.exit(1)
}
