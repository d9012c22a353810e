// npm run plot -- <name>: builds, then draws an image of docs/images anew.
import './install.mjs'
import { handOver } from './hand-over.mjs'
import { bin, run } from './install.mjs'

run(bin('tsc'), ['-b', 'packages/hll-tracking'])
handOver('packages/bench/plots/main.mjs')
