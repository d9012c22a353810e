import type { LimitOptions, RateLimitOptions } from '@respite/ratelimit'
import type { Environment } from './environment.ts'

/** So many requests a minute and address. */
export function perMinute (name: string, limit: number): LimitOptions[] {
  return [{ name, limit, per: '1m' }]
}

/** Both are charged, or neither. */
export const pingLimits: LimitOptions[] = [
  { name: 'ping-5s', limit: 1, per: '5s', by: 'user' },
  { name: 'ping-minute', limit: 2, per: '1m', by: 'user' }
]

const pingRefusals: Record<string, string> = {
  'ping-5s': 'Rate limit exceeded in 5s period 1 time calling ping API!',
  'ping-minute': 'Rate limit exceeded in 1 minute period 2 time calling ping API!'
}

/** For all routes only what the environment asks for; /ping has words of its own for a refusal. */
export function limitOptions ({ RATE_LIMIT_PER_HOUR, RATE_LIMIT_BURST, RATE_LIMIT_ALLOW }: Environment): RateLimitOptions {
  return {
    limits: [
      ...(RATE_LIMIT_PER_HOUR === undefined ? [] : [{ name: 'hour', limit: RATE_LIMIT_PER_HOUR, per: '1h' as const }]),
      ...(RATE_LIMIT_BURST === undefined ? [] : [{ name: 'burst', limit: RATE_LIMIT_BURST, per: '1s' as const }])
    ],
    allow: RATE_LIMIT_ALLOW,
    headers: ['x-ratelimit', 'draft'],
    onStoreError: 'local',
    errorBuilder: (request, refusal) => {
      const error = pingRefusals[refusal.violated]
      return error === undefined ? refusal : { error }
    }
  }
}
