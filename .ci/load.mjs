// npm run load -- [--url …] [--seconds …]: builds the example app, and puts it or a running server under load.
import './install.mjs'
import { handOver } from './hand-over.mjs'
import { bin, run } from './install.mjs'

run(bin('tsc'), ['-b', 'examples/app'])
run(process.execPath, ['examples/app/build-pages.mjs'])
handOver('examples/app/load/main.mjs')
