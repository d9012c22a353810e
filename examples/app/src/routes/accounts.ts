import type { FastifyInstance } from 'fastify'
import { perMinute } from '../limits.ts'
import type { Passwords } from '../users/passwords.ts'
import type { Users } from '../users/users.ts'
import { done, refusal } from './answers.ts'

interface Credentials { Body: { username: string, password: string } }
interface Login { Body: Credentials['Body'] & { transport: 'bearer' | 'cookie' } }

const tags = ['accounts']

// Any characters but those that control a terminal or end a string.
const body = {
  type: 'object',
  required: ['username', 'password'],
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 64, pattern: '^[^\\p{Cc}\\p{Cs}]+$' },
    password: { type: 'string', minLength: 1, maxLength: 256 }
  }
} as const

const loginBody = {
  ...body,
  properties: { ...body.properties, transport: { enum: ['bearer', 'cookie'], default: 'bearer', description: 'cookie sets a cookie for a browser, and answers {}' } }
} as const

const token = { description: 'Logged in; send it as authorization: Bearer …', type: 'object', properties: { sessionToken: { type: 'string' } } } as const

/** Signing up and logging in. Whoever guesses is slowed down by address, also while Redis is away. */
export async function accountRoutes (app: FastifyInstance, { users, passwords }: { users: Users, passwords: Passwords }): Promise<void> {
  app.post<Credentials>('/signup', {
    config: { rateLimit: perMinute('signup', 20) },
    schema: { tags, summary: 'Sign up', body, response: { 200: done('Signed up'), 400: refusal('The name is taken, or the body no use'), 429: refusal('Too many') } }
  }, async (request, reply) => {
    const { username, password } = request.body
    const id = await users.create(username, await passwords.hash(password))
    return id === undefined ? reply.code(400).send({ error: 'Username already exists!' }) : {}
  })

  app.post<Login>('/login', {
    config: { rateLimit: perMinute('login', 5) },
    schema: { tags, summary: 'Log in; an earlier session ends', body: loginBody, response: { 200: token, 400: refusal('The body is no use'), 401: refusal('Wrong'), 429: refusal('Too many') } }
  }, async (request, reply) => {
    const { username, password, transport } = request.body
    const user = await users.find(username)
    if (!await passwords.matches(password, user?.passwordHash)) return reply.code(401).send({ error: 'Username or password was wrong!' })
    const { token } = await reply.login(String(user!.id), { transport })
    return reply.header('cache-control', 'no-store').send({ sessionToken: token })
  })
}
