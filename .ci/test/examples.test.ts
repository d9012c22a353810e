import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { filesBelow, packages, read, root } from './tree.ts'

const documents = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs'), ...packages.map(p => `${p.folder}/README.md`)].filter(file => file.endsWith('.md'))

// Libraries that guides come from. Their own types of `request.session` would take the place of ours in all other examples.
const foreign = ['@fastify/cookie', '@fastify/session', 'express', 'express-session']
const foreignTypes = join(root, 'examples/app/src/foreign.d.ts')

interface Example { file: string, line: number, code: string }

function examplesOf (file: string): Example[] {
  return [...read(file).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(hit => ({
    file, line: read(file).slice(0, hit.index).split('\n').length + 1, code: hit[1]!
  }))
}

t.test('every TypeScript example of the documents compiles', async t => {
  const examples = documents.flatMap(examplesOf)
  t.ok(examples.length > 0)
  // Each example is a module of its own beside the example app, whose dependencies are those of a user.
  const paths = new Map(examples.map((example, i) => [join(root, 'examples/app/src', `example-${i}.ts`), example]))
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const forExamples = { composite: false, declaration: false, declarationMap: false, noEmit: true, noUnusedLocals: false }
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, ...forExamples }, root)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  const declared = foreign.map(name => `declare module '${name}'\n`).join('')
  const text = (path: string) => path === foreignTypes ? declared : paths.has(path) ? `${paths.get(path)!.code}\nexport {}\n` : undefined
  host.fileExists = path => paths.has(path) || path === foreignTypes || fileExists(path)
  host.readFile = path => text(path) ?? readFile(path)
  host.getSourceFile = (path, language, ...rest) => {
    const code = text(path)
    return code === undefined ? getSourceFile(path, language, ...rest) : ts.createSourceFile(path, code, language)
  }
  const program = ts.createProgram([...paths.keys(), foreignTypes], options, host)
  for (const [path, { file, line }] of paths) {
    const source = program.getSourceFile(path)!
    const complaints = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(d =>
      `${file}:${line + source.getLineAndCharacterOfPosition(d.start ?? 0).line} ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`)
    t.same(complaints, [], `${file}:${line}`)
  }
})

t.test('every link of the documents to a file leads somewhere', async t => {
  for (const file of documents) {
    for (const [, target] of read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
      const path = join(root, file, '..', target!)
      t.ok(ts.sys.fileExists(path) || ts.sys.directoryExists(path), `${file}: ${target}`)
    }
  }
})
