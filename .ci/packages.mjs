// Checks what would be published: publint, attw, and each tarball installed in an empty folder and registered there.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, root, run } from './install.mjs'

const published = readdirSync(join(root, 'packages')).map(name => ({ folder: join(root, 'packages', name), ...JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) })).filter(p => !p.private)
const folder = mkdtempSync(join(tmpdir(), 'respite-packed-'))
const sh = (command, args, cwd) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0) return stdout
  console.error(stdout, stderr)
  throw new Error(`${command} ${args.join(' ')} failed in ${cwd}`)
}

try {
  const tarballs = published.map(p => {
    sh('npx', ['--yes', 'pnpm@10.34.9', 'pack', '--pack-destination', folder], p.folder)
    return join(folder, `${p.name.replace('@', '').replace('/', '-')}-${p.version}.tgz`)
  })
  for (const tarball of tarballs) {
    run(bin('publint'), [tarball, '--strict'])
    run(bin('attw'), [tarball, '--profile', 'esm-only'])
  }
  const app = join(folder, 'app')
  mkdirSync(app)
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true }))
  const nodeTypes = JSON.parse(readFileSync(join(root, 'node_modules', '@types', 'node', 'package.json'), 'utf8')).version
  sh('npm', ['install', '--no-audit', '--no-fund', 'fastify@5', `typescript@${devDependencies.typescript}`, `@types/node@${nodeTypes}`, ...tarballs], app)
  const names = ['redis', ...published.map(p => p.name.slice('@respite/'.length)).filter(n => n !== 'redis')]
  const variable = name => name.replace('-', '_')
  const body = `const app = fastify()
${names.map(n => `app.register(${variable(n)})`).join('\n')}
app.ready().then(() => app.close()).then(() => { console.log('registered') })
`
  writeFileSync(join(app, 'esm.mjs'), `import fastify from 'fastify'\n${names.map(n => `import ${variable(n)} from '@respite/${n}'`).join('\n')}\n${body}`)
  writeFileSync(join(app, 'cjs.cjs'), `const fastify = require('fastify')\n${names.map(n => `const ${variable(n)} = require('@respite/${n}')`).join('\n')}\n${body}`)
  writeFileSync(join(app, 'types.mts'), `import fastify from 'fastify'\n${names.map(n => `import ${variable(n)} from '@respite/${n}'`).join('\n')}\n${body}`)
  // Doors beside the main one, each a plugin that needs no other but @respite/redis.
  const doors = published.flatMap(p => Object.keys(p.publishConfig?.exports ?? {}).filter(path => path !== '.').map(path => `${p.name}/${path.slice(2)}`))
  const alone = doors.map((_, i) => `const app${i} = fastify()\napp${i}.register(redis)\napp${i}.register(door${i})\nawait app${i}.ready()\nawait app${i}.close()`).join('\n')
  const imports = `import fastify from 'fastify'\nimport redis from '@respite/redis'\n${doors.map((door, i) => `import door${i} from '${door}'`).join('\n')}\n`
  writeFileSync(join(app, 'doors.mjs'), `${imports}${alone}\nconsole.log('registered')\n`)
  writeFileSync(join(app, 'doors.cjs'), `const fastify = require('fastify')\nconst redis = require('@respite/redis')\n${doors.map((door, i) => `const door${i} = require('${door}')`).join('\n')}\nasync function main () {\n${alone}\n}\nmain().then(() => { console.log('registered') })\n`)
  writeFileSync(join(app, 'doors.mts'), `${imports}${alone}\n`)
  for (const file of ['esm.mjs', 'cjs.cjs', 'doors.mjs', 'doors.cjs']) {
    if (!sh(process.execPath, [file], app).includes('registered')) throw new Error(`${file} did not register all packages`)
  }
  sh(join(app, 'node_modules', '.bin', 'tsc'), ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023', '--types', 'node', 'types.mts', 'doors.mts'], app)
  console.log(`${published.length} packages: packed, linted, installed, registered from ESM and from require(), type-checked`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
