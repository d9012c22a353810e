// node --import ./register.mjs: runs TypeScript, in worker threads too. The test runner's own loader takes five seconds to start the app.
import { register } from 'node:module'

register('./hooks.mjs', import.meta.url)
