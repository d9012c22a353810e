import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { packageFolder } from '../../src/environment.ts'
import { serve } from '../journeys/server.ts'

const folder = join(packageFolder, 'pages', 'dist')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => statSync(join(folder, name)).isFile())

t.test('all that all pages load is under 150 KB compressed', async t => {
  const bytes = files.filter(name => name.endsWith('.gz')).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  t.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`)
})

t.test('nothing in the pages is fetched from elsewhere', async t => {
  for (const name of files.filter(name => /\.(html|css)$/.test(name))) t.notMatch(readFileSync(join(folder, name), 'utf8'), /(src|href|url\()\s*=?\s*["']?(https?:)?\/\//, name)
})

t.test('an asset comes compressed and may be kept for ever; the page that names it is asked for each time', async t => {
  const { url } = await serve(t)
  const page = await fetch(url)
  t.equal(page.headers.get('cache-control'), 'no-cache')
  const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())!
  const plain = await fetch(url + script, { headers: { 'accept-encoding': 'identity' } })
  t.equal(plain.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  t.match(plain.headers.get('content-type'), /^(text|application)\/javascript/)
  t.equal(plain.headers.get('content-encoding'), null)
  for (const encoding of ['gzip', 'br']) {
    const packed = await fetch(url + script, { headers: { 'accept-encoding': encoding } })
    t.equal(packed.headers.get('content-encoding'), encoding)
  }
  const name = script!.replace('/assets/', '')
  t.equal(gunzipSync(readFileSync(join(folder, 'assets', `${name}.gz`))).toString(), await plain.text())
})

t.test('every answer has the strict headers, errors included', async t => {
  const { url } = await serve(t)
  for (const path of ['/', '/health', '/nothing-here', '/weather?lat=x']) {
    const { headers } = await fetch(url + path)
    t.match(headers.get('content-security-policy'), /^default-src 'none';script-src 'self';/, path)
    t.equal(headers.get('x-content-type-options'), 'nosniff', path)
    t.equal(headers.get('strict-transport-security'), null, `${path}: plain http on localhost stays reachable`)
  }
})

t.test('nothing but the bundle is served', async t => {
  const { url } = await serve(t)
  for (const path of ['/assets/nothing.js', '/assets/..%2findex.html', '/assets/..%2f..%2ftsconfig.json', '/assets/%2e%2e/build.js', '/assets/index.html', '/index.html']) {
    t.ok([400, 404].includes((await fetch(url + path)).status), path)
  }
})
