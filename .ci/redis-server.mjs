// Sees to it that the tests find a Redis server program: tests start their own servers with it, on free ports.
import { spawnSync } from 'node:child_process'
import { aptInstall } from './apt.mjs'

const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
const present = () => works('redis-server', '--version') || works('valkey-server', '--version')

if (!present()) aptInstall('redis-server')
if (!present()) {
  console.error('The tests need redis-server or valkey-server on PATH: install one, for example "apt-get install redis-server" or "brew install redis".')
  process.exit(1)
}
