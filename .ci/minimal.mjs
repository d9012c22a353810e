// npm run minimal -- cache: builds, and serves the ten-line app of a plugin.
import './install.mjs'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { handOver } from './hand-over.mjs'
import { bin, root, run } from './install.mjs'

const names = readdirSync(join(root, 'examples', 'plugin-minimal', 'src')).map(file => file.replace(/\.ts$/, ''))
const [name] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`npm run minimal -- <plugin>: one of ${names.join(', ')}${name === undefined ? '' : `; got '${name}'`}`)
  process.exit(1)
}
run(bin('tsc'), ['-b', 'examples/plugin-minimal'])
handOver(`examples/plugin-minimal/dist/${name}.js`, [])
