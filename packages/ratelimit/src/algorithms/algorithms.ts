import type { AlgorithmName } from '../rule.ts'
import type { Algorithm } from './algorithm.ts'
import { concurrency } from './concurrency.ts'
import { fixedWindow } from './fixed-window.ts'
import { gcra } from './gcra.ts'
import { slidingCounter } from './sliding-counter.ts'
import { slidingLog } from './sliding-log.ts'

/** All of them, by name. */
export const algorithms = {
  'fixed-window': fixedWindow, 'sliding-log': slidingLog, 'sliding-counter': slidingCounter, gcra, concurrency
} as Readonly<Record<AlgorithmName, Algorithm>>
