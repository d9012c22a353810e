import t from 'tap'
import { proxyContract } from '../contracts/proxy.ts'
import { byHand, byReplyFrom } from './proxied.ts'

proxyContract(t, 'by hand', byHand)
proxyContract(t, '@fastify/reply-from', byReplyFrom)
