import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { drawErrors, measureErrors } from './hll-error.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { sketches: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } } })

function hllError () {
  const given = { sketches: Number(values.sketches), seed: Number(values.seed) }
  if (!Number.isSafeInteger(given.sketches) || given.sketches < 1) throw new TypeError(`--sketches takes a whole number from 1, got '${values.sketches}'`)
  const errors = measureErrors(given)
  console.table(errors)
  return drawErrors(errors, given)
}

const plots = { 'hll-error': hllError }

const [name = ''] = positionals
const draw = Object.hasOwn(plots, name) ? plots[name] : undefined
if (draw === undefined) {
  console.error(`npm run plot -- <name> [--sketches <n>] [--seed <n>]; plots: ${Object.keys(plots).join(', ')}`)
  process.exitCode = 2
} else {
  const file = fileURLToPath(new URL(`../../../docs/images/${name}.svg`, import.meta.url))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, draw())
  console.log(`docs/images/${name}.svg`)
}
