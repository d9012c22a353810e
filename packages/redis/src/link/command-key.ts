import type { RedisArg } from './link.ts'

const keyless = new Set(['PING', 'INFO', 'TIME', 'SCRIPT', 'CLIENT', 'CONFIG', 'COMMAND', 'DBSIZE', 'FLUSHALL', 'FLUSHDB', 'CLUSTER', 'ROLE', 'WAIT', 'PUBSUB', 'ACL',
  'RANDOMKEY', 'KEYS', 'SCAN', 'ECHO', 'LATENCY', 'SLOWLOG', 'FUNCTION', 'HELLO', 'LASTSAVE'])
const keyIsSecond = new Set(['OBJECT', 'XGROUP', 'XINFO', 'BITOP', 'MEMORY', 'ZUNION', 'ZINTER', 'ZDIFF', 'ZINTERCARD', 'SINTERCARD', 'LMPOP', 'ZMPOP'])
const keyIsThird = new Set(['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO', 'FCALL', 'FCALL_RO'])

/** The key by which a Cluster finds the node of a command; undefined: any node will do. */
export function commandKey (command: string, args: readonly RedisArg[]): string | undefined {
  if (keyless.has(command)) return undefined
  if (command === 'XREAD' || command === 'XREADGROUP') return textOf(args[args.findIndex(arg => String(arg).toUpperCase() === 'STREAMS') + 1])
  if (keyIsThird.has(command)) return Number(args[1]) > 0 ? textOf(args[2]) : undefined
  return textOf(args[keyIsSecond.has(command) ? 1 : 0])
}

const textOf = (arg: RedisArg | undefined) => arg === undefined ? undefined : String(arg)
