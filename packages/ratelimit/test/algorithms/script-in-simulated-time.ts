import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { LimitCall } from '../../src/stores/limit-call.ts'
import type { Check } from '../../src/stores/store.ts'

/** One call of the script. */
export interface Operation {
  readonly mode: 'take' | 'peek' | 'refund' | 'renew'
  readonly nowUs: number
  readonly checks: readonly (Check & { atMs?: number })[]
}

const source = readFileSync(new URL('../../lua/limits.lua', import.meta.url), 'utf8')

// The script as it is, many times in one call, with a clock and expiries that the test sets. Keys are real.
const wrapper = `
local real = redis
local nowUs = 0
local redis = {}
local expiries = KEYS[1]
function redis.call (command, key, ...)
  local args = {...}
  if command == 'TIME' then
    return {string.format('%d', math.floor(nowUs / 1000000)), string.format('%d', nowUs % 1000000)}
  elseif command == 'SET' then
    real.call('HSET', expiries, key, string.format('%.17g', nowUs / 1000 + args[3]))
    return real.call('SET', key, args[1])
  elseif command == 'GET' or command == 'MGET' then
    for _, read in ipairs({key, ...}) do
      local expiry = real.call('HGET', expiries, read)
      if ARGV[2] == 'forget' and expiry and tonumber(expiry) <= nowUs / 1000 then real.call('DEL', read) end
    end
  end
  return real.call(command, key, ...)
end
redis.pcall = redis.call
local function limits (KEYS, ARGV)
${source}
end
local answers = {}
for i, operation in ipairs(cjson.decode(ARGV[1])) do
  nowUs = operation.nowUs[1] * 1000000 + operation.nowUs[2]
  local answer = limits(operation.keys, operation.args)
  answers[i] = {}
  for j, n in ipairs(answer) do answers[i][j] = string.format('%d', n) end
end
return cjson.encode(answers)`

const decides = ({ mode }: Operation) => mode === 'take' || mode === 'peek'

/** Questions of one moment are asked in one call, as the store does. */
function callsOf (operations: readonly Operation[]): Operation[][] {
  const calls: Operation[][] = []
  for (const operation of operations) {
    const [last] = calls.at(-1) ?? []
    if (last !== undefined && last.nowUs === operation.nowUs && decides(last) && decides(operation)) calls.at(-1)!.push(operation)
    else calls.push([operation])
  }
  return calls
}

function callOf (operations: readonly Operation[], prefix: string): LimitCall {
  const keys = { state: ({ rule, subject }: Check) => `${prefix}:${rule.name}:${subject}`, ban: ({ rule, subject }: Check) => `${prefix}:ban:${rule.name}:${subject}` }
  const [{ mode }] = operations as [Operation]
  const call = new LimitCall(mode === 'refund' || mode === 'renew' ? mode : 'decide', keys)
  for (const { mode, checks } of operations) call.add(mode === 'refund' || mode === 'renew' ? '' : mode, checks)
  return call
}

/** What a call answers of each of its operations: when, then their numbers, then what their leases were granted. */
function answersOf (call: readonly Operation[], [nowMs, ...numbers]: readonly number[]): number[][] {
  if (!decides(call[0]!)) return [[]]
  const outcomes = call.map(({ checks }) => [nowMs!, ...numbers.splice(0, 3 * checks.flatMap(({ ban }) => ban === undefined ? [0] : [0, 0]).length)])
  return outcomes.map((own, i) => [...own, ...numbers.splice(0, call[i]!.checks.filter(({ batch }) => batch !== undefined).length)])
}

/**
 * Runs operations one after the other.
 * @param forget - whether keys expire
 * @returns the replies, as numbers
 */
export async function runScript (redis: Redis, operations: readonly Operation[], { prefix, forget }: { prefix: string, forget: boolean }): Promise<number[][]> {
  const calls = callsOf(operations)
  const written = calls.map(operations => {
    const { keys, args } = callOf(operations, prefix)
    return { nowUs: [Math.floor(operations[0]!.nowUs / 1e6), operations[0]!.nowUs % 1e6], keys, args: args.map(String) }
  })
  const reply = JSON.parse(await redis.eval(wrapper, 1, `${prefix}:expiries`, JSON.stringify(written), forget ? 'forget' : 'keep') as string) as string[][]
  return reply.flatMap((numbers, i) => answersOf(calls[i]!, Array.isArray(numbers) ? numbers.map(Number) : []))
}
