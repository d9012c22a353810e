// Where this machine has its Chromium: for the tests of the pages, and for their pictures.
import { spawnSync } from 'node:child_process'

// The one without a window first: the same engine, which a machine of tests runs at half the cost.
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** The path of Chromium's program: CHROMIUM_PATH, else what is on PATH; undefined where there is none. */
export function chromiumPath () {
  if (process.env.CHROMIUM_PATH !== undefined) return process.env.CHROMIUM_PATH
  // Asked for its version: some systems have a program of that name which only says what to install.
  const name = names.find(name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
  return name && spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim()
}
