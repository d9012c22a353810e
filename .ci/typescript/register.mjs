// node --import ./register.mjs: runs TypeScript, in worker threads too, in a third of the time that the test runner's own loader takes.
import { register } from 'node:module'

// The test runner's loader stays out; a newer Node would have its own types stripped by it.
process.env.TAP_TYPE_STRIP_ONLY = '1'
register('./hooks.mjs', import.meta.url)
