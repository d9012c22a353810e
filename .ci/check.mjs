// npm run check: every gate. --without-tests leaves the tests to `npm test`.
import './install.mjs'
import { bin, run } from './install.mjs'

const gates = {
  lint: () => run(bin('eslint'), ['.']),
  build: () => run(bin('tsc'), ['-b']),
  types: () => run(bin('tsc'), ['-p', '.ci/tsconfig.json']),
  packages: () => run(process.execPath, ['.ci/packages.mjs']),
  tests: () => run('npm', ['test'])
}
if (process.argv.includes('--without-tests')) delete gates.tests
for (const [name, gate] of Object.entries(gates)) {
  console.log(`# ${name}`)
  gate()
}
