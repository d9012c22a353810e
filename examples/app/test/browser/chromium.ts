import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import wholeFile, { type Test } from 'tap'
import { chromiumPath } from '../../../../.ci/chromium-path.mjs'

const executablePath = chromiumPath()

/** For the options of a test of the pages: why it is skipped, or false. */
export const withoutChromium = executablePath === undefined ? 'there is no Chromium: install one, or set CHROMIUM_PATH' : false

// Nothing but the page's own requests, and no GPU, which a machine for tests has not. Names that end in .test are this machine.
const quiet = ['--host-resolver-rules=MAP *.test 127.0.0.1', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** A page that is open, and everything that went wrong in it. */
export interface OpenPage {
  page: Page
  /** Errors in the console, exceptions that nothing caught, and requests that failed; each should be explained or empty. */
  errors: string[]
}

let launched: Promise<Browser> | undefined

/** One browser for all tests of a file, which ends with the last of them. */
function theBrowser (): Promise<Browser> {
  launched ??= chromium.launch({ executablePath: executablePath!, chromiumSandbox: process.getuid?.() !== 0, args: quiet }).then(browser => {
    wholeFile.teardown(() => browser.close())
    return browser
  })
  return launched
}

/** A page in a profile of its own, so that nothing is shared with another; it closes with its test, so that what it draws holds up no other. */
export async function openPage (t: Test, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await (await theBrowser()).newContext(options)
  t.teardown(() => context.close())
  const page = await context.newPage()
  const errors: string[] = []
  page.on('console', message => { if (message.type() === 'error') errors.push(message.text()) })
  page.on('pageerror', error => errors.push(String(error)))
  page.on('requestfailed', request => errors.push(`${request.url()}: ${request.failure()?.errorText}`))
  await page.goto(url)
  return { page, errors }
}
