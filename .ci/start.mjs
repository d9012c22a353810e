// npm start: installs what is missing, builds, and serves the example app. --pair: two servers over one Redis.
import './install.mjs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { bin, root, run } from './install.mjs'

run(bin('tsc'), ['-b', 'examples/app'])
const entry = process.argv.includes('--pair') ? 'pair.js' : 'main.js'
const app = spawn(process.execPath, [join(root, 'examples', 'app', 'dist', entry)], { stdio: 'inherit' })
// The app shuts itself down; this process only waits for it to have done so.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => app.kill(signal))
app.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 0)))
