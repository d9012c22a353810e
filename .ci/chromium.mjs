// Sees to it that the tests of the pages find a Chromium. Without one they are skipped, and say so.
import { aptInstall } from './apt.mjs'
import { chromiumPath } from './chromium-path.mjs'

for (const name of ['chromium-headless-shell', 'chromium']) {
  if (chromiumPath() === undefined) aptInstall(name, { timeoutMs: 180_000 })
}
if (chromiumPath() === undefined) {
  console.log('There is no Chromium: the tests of the pages are skipped. Install one, for example "apt-get install chromium", or set CHROMIUM_PATH.')
}
