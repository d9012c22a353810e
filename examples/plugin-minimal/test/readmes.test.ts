import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const names = readdirSync(new URL('../src', import.meta.url)).map(file => file.replace('.ts', ''))
const plugins = readdirSync(new URL('../../../packages', import.meta.url)).filter(name => JSON.parse(read(`packages/${name}/package.json`)).private !== true)

t.test('each plugin has an app of ten lines', async t => {
  t.strictSame(names.sort(), plugins.sort())
  for (const name of names) {
    const lines = read(`examples/plugin-minimal/src/${name}.ts`).split('\n').filter(Boolean)
    t.ok(lines.length <= 10, `${name} has ${lines.length}`)
  }
})

t.test('the first example of a README is the app that runs', async t => {
  for (const name of names) {
    const readme = read(`packages/${name}/README.md`)
    t.equal(/^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1], read(`examples/plugin-minimal/src/${name}.ts`), name)
    t.ok(readme.includes(`npm run minimal -- ${name}`), `${name} says how to run it`)
  }
})
