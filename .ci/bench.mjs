// npm run bench -- <scenario> [--quick] [--json], npm run drill -- <name>: builds, then runs what packages/bench has.
import './install.mjs'
import './redis-server.mjs'
import { handOver } from './hand-over.mjs'
import { bin, run } from './install.mjs'

run(bin('tsc'), ['-b', 'packages/bench'])
handOver('packages/bench/dist/main.js')
