import t from 'tap'
import { MemoryStore } from '../../src/stores/memory.ts'
import { storeContract } from '../contracts/store.ts'
import { trackingContract } from '../contracts/tracking.ts'

storeContract(t, parts => new MemoryStore(parts))
trackingContract(t, parts => new MemoryStore(parts))
