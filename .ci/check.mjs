// npm run check: every gate. --without-tests leaves the tests to `npm test`.
import './install.mjs'
import { bin, run } from './install.mjs'

const gates = {
  lint: () => run(bin('eslint'), ['.']),
  build: () => run('npm', ['run', '--silent', 'build']),
  types: () => run('npm', ['run', '--silent', 'typecheck']),
  packages: () => run(process.execPath, ['.ci/packages.mjs']),
  tests: () => run('npm', ['test'])
}
if (process.argv.includes('--without-tests')) delete gates.tests
for (const [name, gate] of Object.entries(gates)) {
  console.log(`# ${name}`)
  gate()
}
