import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pages } from './reference.ts'
import { root } from './tree.ts'

const folder = join(root, 'docs', 'reference')

for (const [name, make] of Object.entries(pages)) {
  t.test(`docs/reference/${name} says what the code says`, async t => {
    const text = await make()
    if (process.env.RESPITE_WRITE_REFERENCE === '1') {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    t.equal(readFileSync(join(folder, name), 'utf8'), text, 'run `npm run reference` and look at what changed')
  })
}
