import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { filesBelow, packages, published, read, root } from './tree.ts'

const code = packages.filter(p => !['@respite/testing', '@respite/bench'].includes(p.name))
const rooms = [...code.map(({ folder }) => `${folder}/src`), 'examples/app/pages', 'examples/app/load']
const sources = [...rooms.flatMap(filesBelow), 'examples/app/build-pages.mjs'].filter(file => /\.m?[jt]s$/.test(file))
const commands = filesBelow('.ci').filter(file => file.endsWith('.mjs'))
const tests = [...packages.map(p => `${p.folder}/test`), '.ci/test'].flatMap(filesBelow).filter(file => file.endsWith('.ts'))

/** The lines of a file in which code, not a comment, matches. */
function linesWith (file: string, pattern: RegExp): string[] {
  return read(file).split('\n').flatMap((line, i) => pattern.test(line.replace(/\/\/.*$|^\s*\*.*$/, '')) ? [`${file}:${i + 1} ${line.trim()}`] : [])
}

t.test('every published package has the same face', async t => {
  for (const { folder } of published) {
    for (const file of ['README.md', 'package.json', 'tsconfig.json', 'src/index.ts', 'src/plugin.ts', 'src/options.ts', 'src/errors.ts', 'src/metrics.ts', 'src/keys.ts']) {
      t.ok(existsSync(join(root, folder, file)), `${folder}/${file}`)
    }
  }
})

t.test('a door holds named re-exports and nothing else', async t => {
  for (const { folder } of published) {
    const rest = read(`${folder}/src/index.ts`)
      .replace(/^export (type )?\{[^}]*\} from '[^']+'$/gm, '').replace(/\/\*\*[\s\S]*?\*\/|^\/\/.*$/gm, '').trim()
    t.equal(rest, '', folder)
  }
})

t.test('no room is a junk room', async t => {
  for (const file of [...sources, ...commands]) {
    t.notMatch(file, /(^|\/)(utils?|helpers?|common|misc|types|shared|lib)(\.m?[jt]s$|\/)/, file)
    t.match(basename(file), /^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.m?[jt]s$/, `${file} is kebab-case`)
  }
})

t.test('clocks, chance, plain errors and the console stay where they belong', async t => {
  const allowed = new Set(['packages/redis/src/clock.ts', 'packages/redis/src/random.ts', 'examples/app/pages/clock.ts'])
  for (const file of sources.filter(name => !allowed.has(name))) {
    t.same(linesWith(file, /\bnew Error\(|\bDate\.now\(|\bMath\.random\(|\bconsole\.|\bperformance\.now\(/), [], file)
  }
})

t.test('nothing is caught in silence, and nothing is left for later', async t => {
  for (const file of sources) {
    t.notMatch(read(file), /catch\s*(\([^)]*\))?\s*\{\s*\}/, `${file}: an empty catch`)
    t.notMatch(read(file), /\b(TODO|FIXME|XXX)\b/, file)
  }
})

t.test('every test runs, and none sleeps', async t => {
  for (const file of tests) {
    t.same(linesWith(file, /\bt\.(only|skip|todo)\(|\b(skip|todo|only): true/), [], file)
    t.same(linesWith(file, /\bsleep\(|\bdelay\(\d|setTimeout\((resolve|r|done)\b|await setTimeout\(/), [], file)
  }
})

t.test('every Lua file begins by saying what it does, what it takes and what it returns', async t => {
  const scripts = published.flatMap(({ folder }) => filesBelow(`${folder}/lua`)).filter(file => file.endsWith('.lua'))
  t.ok(scripts.length > 0)
  for (const file of scripts) {
    const header = /^(?:--.*\n)+/.exec(read(file))?.[0] ?? ''
    t.match(header, /^-- [A-Z]/, `${file} says what it does`)
    t.match(header, /KEYS/, `${file} names its keys`)
    t.match(header, /ARGV/, `${file} names its arguments`)
    t.match(header, /[Rr]eturns/, `${file} says what it returns`)
    t.notMatch(read(file), /\$\{/, `${file} is not put together from pieces at run time`)
  }
})

t.test('CONTRIBUTING names every command', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = Array.from(read('CONTRIBUTING.md').matchAll(/^npm (?:run )?([\w:]+)/gm), ([, name]) => name!)
  t.same([...new Set(named)].sort(), Object.keys(scripts).sort())
})

t.test('the project names no machine and no registry', async t => {
  const everything = [...['packages', 'examples', 'docs', '.changeset', '.ci'].flatMap(filesBelow), 'README.md', 'CONTRIBUTING.md', 'package.json', 'pnpm-lock.yaml']
  const here = '.ci/test/house.test.ts'
  for (const file of everything.filter(name => name !== here && /\.(md|ts|mjs|js|json|yaml|lua|html|css)$/.test(name))) {
    const found = read(file).match(/registry\.npmjs|registry\.yarnpkg|deb\.debian|\/home\/\w+\/|\/root\/|\/work\/|tarball: *https?:/g)
    t.same(found, null, file)
  }
})

t.test('most files are short', async t => {
  const lengths = sources.map(file => read(file).split('\n').length).sort((a, b) => a - b)
  t.ok(lengths[Math.floor(lengths.length / 2)]! < 100, `the median file has ${lengths[Math.floor(lengths.length / 2)]} lines`)
})
