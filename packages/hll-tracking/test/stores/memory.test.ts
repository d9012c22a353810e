import t from 'tap'
import { MemoryStore } from '../../src/stores/memory.ts'
import { keyRotationContract } from '../contracts/key-rotation.ts'
import { personalDataContract } from '../contracts/personal-data.ts'
import { storeContract } from '../contracts/store.ts'
import { trackingContract } from '../contracts/tracking.ts'

storeContract(t, parts => new MemoryStore(parts))
trackingContract(t, parts => new MemoryStore(parts))
keyRotationContract(t, parts => new MemoryStore(parts))
personalDataContract(t, parts => new MemoryStore(parts))
