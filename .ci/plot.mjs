// npm run plot -- <name>: builds, then draws an image of docs/images anew.
import './install.mjs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { bin, root, run } from './install.mjs'

run(bin('tsc'), ['-b', 'packages/hll-tracking'])
const { status } = spawnSync(process.execPath, [join(root, 'packages', 'bench', 'plots', 'main.mjs'), ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 1)
