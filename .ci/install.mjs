// Installs the dependencies exactly as pnpm-lock.yaml says, and does nothing when they are there already.
import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

// Newer lines of pnpm crash on the oldest Node that is supported, or refuse a frozen lock file.
const pnpm = 'pnpm@10.34.9'
const stamp = join(root, 'node_modules', '.respite-installed')

const fail = (message, status = 1) => {
  console.error(message)
  process.exit(status)
}

/** What an installed tree must match: the lock, every manifest, and the Node that native packages were chosen for. */
function wanted () {
  const hash = createHash('sha256').update(process.version)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

const installed = () => {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return undefined // a fresh clone
  }
}

/** Runs a command in the project's folder and ends this process when it fails. */
export function run (command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) fail(`${command}: ${error.message}`)
  if (status !== 0) fail(`${command} ${args.join(' ')} ended with ${signal ?? status}`, status ?? 1)
}

/** The path of an installed command. */
export const bin = name => join(root, 'node_modules', '.bin', name)

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) fail(`Respite needs Node 20.19 or newer; this is ${process.version}`)

if (installed() !== wanted()) {
  run('npx', ['--yes', pnpm, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'])
  writeFileSync(stamp, wanted())
}
