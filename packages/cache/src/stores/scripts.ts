import { type Script, type ScriptOptions, loadScript } from '@respite/redis'

const script = (name: string, options?: ScriptOptions): Script =>
  loadScript(`cache.${name}`, new URL(`../../lua/${name}.lua`, import.meta.url), options)

/** The cache's scripts, each the one atomic step of its name. */
export const scripts = Object.freeze({
  acquire: script('acquire', { reply: 'bytes' }),
  peek: script('peek', { reply: 'bytes', flags: ['no-writes'] }),
  fill: script('fill'),
  put: script('put'),
  open: script('open'),
  done: script('done'),
  // What ends an entry must pass where memory is short.
  drop: script('drop', { flags: ['allow-oom'] }),
  discard: script('discard', { flags: ['allow-oom'] }),
  soften: script('soften', { flags: ['allow-oom'] }),
  mint: script('mint'),
  found: script('found'),
  clock: script('clock'),
  vouch: script('vouch'),
  tick: script('tick', { flags: ['allow-oom'] }),
  bump: script('bump', { flags: ['allow-oom'] }),
  keep: script('keep', { flags: ['allow-oom'] })
})
