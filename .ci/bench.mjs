// npm run bench -- <scenario> [--quick] [--json], npm run drill -- <name>: builds, then runs what packages/bench has.
import './install.mjs'
import './redis-server.mjs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { bin, root, run } from './install.mjs'

run(bin('tsc'), ['-b', 'packages/bench'])
const { status } = spawnSync(process.execPath, [join(root, 'packages', 'bench', 'dist', 'main.js'), ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 1)
