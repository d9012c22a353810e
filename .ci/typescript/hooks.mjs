import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Hundreds of processes of a run load the same files: the first that needs one leaves what it became to the others.
const shared = process.env.RESPITE_TYPESCRIPT_FOLDER

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
