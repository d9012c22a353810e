import { loadScript, type ScriptOptions } from '@respite/redis'

const script = (name: string, options: ScriptOptions = {}) =>
  // In a Cluster no MOVED is followed: the era of the node that would answer was not asked.
  loadScript(`session.${name}`, new URL(`../lua/${name}.lua`, import.meta.url), { redirect: 'refuse', ...options })

/** Every script over gates and copies. */
export const scripts = {
  // With the flag it counts as a write, which an isolated primary with min-replicas-to-write refuses.
  read: script('read', { flags: ['allow-oom'] }),
  fill: script('fill'),
  kill: script('kill', { flags: ['allow-oom'] }),
  activate: script('activate'),
  save: script('save'),
  touch: script('touch'),
  rotate: script('rotate'),
  bury: script('bury'),
  keep: script('keep'),
  unsaved: script('unsaved'),
  settle: script('settle')
}
