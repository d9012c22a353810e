import t from 'tap'
import { expressApp, fastifyApp } from './apps.ts'
import { libraryContract } from './library-contract.ts'

t.test('@fastify/session', async t => libraryContract(t, fastifyApp))
t.test('express-session', async t => libraryContract(t, expressApp))
