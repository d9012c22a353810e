import { posix } from 'node:path'
import t from 'tap'
import { read } from './tree.ts'

const page = 'docs/reference/asvs.md'
/** How many requirements each section of ASVS 5.0 has. */
const sections = { 'V7.1': 3, 'V7.2': 4, 'V7.3': 2, 'V7.4': 5, 'V7.5': 3, 'V7.6': 2, 'V3.3': 5 }

interface Row { number: string, by: string, tests: { name: string, file: string }[] }

const rows: Row[] = [...read(page).matchAll(/^\| \*\*(.+?)\*\* \| .+ \| (.+) \| (.+) \|$/gm)].map(([, number, by, tests]) => ({
  number: `V${number}`,
  by: by!,
  tests: [...tests!.matchAll(/“(.+?)” \[.+?\]\((.+?)\)/g)].map(([, name, file]) => ({ name: name!, file: posix.join(posix.dirname(page), file!) }))
}))

t.test('every requirement of V7 and V3.3 has one row, and a test, or is said to be the app\'s matter', async t => {
  const numbers = Object.entries(sections).flatMap(([section, count]) => Array.from({ length: count }, (_, i) => `${section}.${i + 1}`))
  t.strictSame(rows.map(row => row.number).sort(), numbers.sort())
  for (const { number, by, tests } of rows) t.ok(tests.length > 0 || by.startsWith('The app\'s matter'), number)
})

t.test('every test that is named is in the file that is named', async t => {
  const named = rows.flatMap(row => row.tests)
  t.equal(named.length, read(page).split('“').length - 1)
  for (const { name, file } of named) t.ok(read(file).replaceAll('\\\'', '\'').includes(`t.test('${name}'`), `${name} in ${file}`)
})
