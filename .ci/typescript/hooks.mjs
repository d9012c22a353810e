import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// Hundreds of processes of a run load the same files: the first that needs one leaves what it became to the others.
const shared = process.env.RESPITE_TYPESCRIPT_FOLDER

// What the test runner loads into every process, those that tests start included: for coverage and for mocks of modules, which nobody uses here.
const unused = /\/@tapjs\/(processinfo|mock|typescript)\/dist\/esm\/import\.mjs$/
const nothing = { url: 'data:text/javascript,', format: 'module', shortCircuit: true }

export function resolve (specifier, context, next) {
  if (unused.test(specifier)) return nothing
  // Its some hundred modules are loaded in half the time as CommonJS: without a question to these hooks for each.
  if (specifier === 'tap') return { url: pathToFileURL(createRequire(context.parentURL).resolve('tap')).href, format: 'commonjs', shortCircuit: true }
  return next(specifier, context)
}

export async function load (url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const sourcefile = fileURLToPath(url)
  const text = await readFile(sourcefile)
  const source = shared === undefined ? await javascriptOf(text, sourcefile) : await sharedJavascriptOf(text, sourcefile)
  return { format: 'module', source, shortCircuit: true }
}

async function sharedJavascriptOf (text, sourcefile) {
  const place = join(shared, `${createHash('sha1').update(`${sourcefile}\n`).update(text).digest('hex')}.js`)
  const found = await readFile(place).catch(() => undefined)
  if (found !== undefined) return found
  const code = await javascriptOf(text, sourcefile)
  // Whole or not at all: another process may be reading it. Where it cannot be left, everybody makes their own.
  const part = `${place}.${process.pid}.${performance.now()}`
  await writeFile(part, code).then(() => rename(part, place)).catch(() => {})
  return code
}

async function javascriptOf (text, sourcefile) {
  const { transform } = await import('esbuild')
  const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'es2023', sourcemap: 'inline', sourcefile })
  return code
}
