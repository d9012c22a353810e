// Bundles the pages into pages/dist: scripts and styles under names that change with their content, each also compressed.
import { build } from 'esbuild'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const pages = join(dirname(fileURLToPath(import.meta.url)), 'pages')
const output = join(pages, 'dist')
const assets = join(output, 'assets')
const named = /(src|href)="\.\/([^"]+)"/g

const htmlFiles = readdirSync(pages).filter(name => name.endsWith('.html'))
const htmlOf = name => readFileSync(join(pages, name), 'utf8')
const entryPoints = [...new Set(htmlFiles.flatMap(name => Array.from(htmlOf(name).matchAll(named), ([, , path]) => join(pages, path))))]

rmSync(output, { recursive: true, force: true })
const { metafile } = await build({
  entryPoints,
  outdir: assets,
  entryNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2022', 'chrome120', 'firefox120', 'safari17.4'],
  minify: true,
  sourcemap: false,
  legalComments: 'eof',
  metafile: true,
  absWorkingDir: pages,
  logLevel: 'warning'
})

const builtAs = new Map(Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) => entryPoint ? [[entryPoint, basename(path)]] : []))

const write = (path, text) => {
  writeFileSync(path, text)
  writeFileSync(`${path}.br`, brotliCompressSync(text))
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }))
}
write(join(output, 'icon.svg'), readFileSync(join(pages, 'icon.svg')))
for (const name of readdirSync(assets)) write(join(assets, name), readFileSync(join(assets, name)))
for (const name of htmlFiles) {
  write(join(output, name), htmlOf(name).replace(named, (_, attribute, path) => {
    const asset = builtAs.get(relative(pages, join(pages, path)))
    if (asset === undefined) throw new TypeError(`${name} names ${path}, which was not built`)
    return `${attribute}="/assets/${asset}"`
  }))
}
