// npm start: installs what is missing, builds, and serves the example app. --pair: two servers over one Redis.
import './install.mjs'
import { handOver } from './hand-over.mjs'
import { bin, run } from './install.mjs'

run(bin('tsc'), ['-b', 'examples/app'])
run(process.execPath, ['examples/app/build-pages.mjs'])
handOver(`examples/app/dist/${process.argv.includes('--pair') ? 'pair.js' : 'main.js'}`, [])
