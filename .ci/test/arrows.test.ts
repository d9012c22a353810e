import { dirname, join } from 'node:path/posix'
import { isBuiltin } from 'node:module'
import t from 'tap'
import { filesBelow, importsOf, packageOf, packages, plugins, published } from './tree.ts'

const sources = (folder: string) => filesBelow(`${folder}/src`).filter(file => file.endsWith('.ts'))
const bare = (specifier: string) => !specifier.startsWith('.') && !isBuiltin(specifier)

t.test('a plugin imports @respite/redis and no sibling, not even a type', async t => {
  for (const plugin of plugins) {
    for (const file of sources(plugin.folder)) {
      const siblings = importsOf(file).map(i => packageOf(i.specifier)).filter(name => name.startsWith('@respite/') && name !== '@respite/redis')
      t.same(siblings, [], file)
    }
  }
})

t.test('@respite/redis imports no other package of the suite', async t => {
  for (const file of sources('packages/redis')) {
    t.same(importsOf(file).filter(i => i.specifier.startsWith('@respite/')), [], file)
  }
})

t.test('no file imports itself by a detour', async t => {
  for (const { folder } of packages) {
    const files = new Set(sources(folder))
    const arrows = new Map([...files].map(file => [file, importsOf(file)
      .filter(i => i.specifier.startsWith('.') && !i.typeOnly).map(i => join(dirname(file), i.specifier)).filter(to => files.has(to))]))
    t.same(cycleIn(arrows), undefined, folder)
  }
})

t.test('only the door is imported from outside, and the door from nowhere inside', async t => {
  for (const { folder } of packages) {
    for (const file of sources(folder)) {
      for (const { specifier } of importsOf(file)) {
        if (specifier.startsWith('.')) {
          t.ok(join(dirname(file), specifier).startsWith(`${folder}/`), `${file} stays in its package: ${specifier}`)
          t.not(join(dirname(file), specifier), `${folder}/src/index.ts`, `${file} does not import its own door`)
        } else if (specifier.startsWith('@respite/')) {
          t.equal(specifier, packageOf(specifier), `${file} enters ${specifier} by its door`)
        }
      }
    }
  }
})

t.test('what a package imports is what it declares', async t => {
  for (const { folder, name, manifest } of packages) {
    const used = new Map<string, boolean>()
    for (const file of sources(folder)) {
      for (const { specifier, typeOnly } of importsOf(file)) {
        if (bare(specifier)) used.set(packageOf(specifier), (used.get(packageOf(specifier)) ?? true) && typeOnly)
      }
    }
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
    for (const [dependency, typeOnly] of used) {
      const inTypes = typeOnly && manifest.private === true && dependency in { ...declared, ...manifest.devDependencies }
      t.ok(dependency in declared || dependency === name || inTypes, `${name} declares ${dependency}`)
    }
    if (manifest.private === true) continue
    const unused = Object.keys(manifest.dependencies ?? {}).filter(dependency => !used.has(dependency))
    t.same(unused, [], `${name} uses each of its dependencies`)
  }
})

t.test('all packages are of one version, and meet @respite/redis as a peer', async t => {
  t.equal(new Set(published.map(p => p.manifest.version)).size, 1)
  for (const plugin of plugins) t.equal(plugin.manifest.peerDependencies?.['@respite/redis'], 'workspace:^', plugin.name)
})

/** The first cycle met, as the files along it. */
function cycleIn (arrows: Map<string, string[]>): string[] | undefined {
  const done = new Set<string>()
  const walk = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const to of arrows.get(file) ?? []) {
      const cycle = walk(to, [...path, file])
      if (cycle) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of arrows.keys()) {
    const cycle = walk(file, [])
    if (cycle) return cycle
  }
  return undefined
}
