import { refusal } from './answers.ts'

/** The id of an entry in the path; at most the largest integer of Postgres. */
export const entryParams = { type: 'object', properties: { id: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } } } as const

// Postgres keeps every character but NUL.
const text = { type: 'string', pattern: '^[^\\u0000]*$' } as const

/** What is sent to write or to change an entry. */
export const draftBody = {
  type: 'object',
  required: ['title', 'content'],
  additionalProperties: false,
  properties: { title: { ...text, minLength: 1, maxLength: 200 }, content: { ...text, maxLength: 10_000 } }
} as const

/** Which page of the entries is asked for. */
export const pagination = {
  type: 'object',
  properties: { page: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 1 }, size: { type: 'integer', minimum: 1, maximum: 100, default: 10 } }
} as const

/** An entry in an answer. */
export const entryAnswer = {
  type: 'object',
  properties: { id: { type: 'integer' }, title: { type: 'string' }, content: { type: 'string' }, createdAt: { type: 'string' }, updatedAt: { type: 'string' } }
} as const

/** A page of entries in an answer. */
export const entryList = {
  type: 'object',
  properties: { entries: { type: 'array', items: entryAnswer }, page: { type: 'integer' }, size: { type: 'integer' }, total: { type: 'integer' } }
} as const

/** The body of a 404. */
export const noSuchEntry = { error: 'No such entry!' }

/** What a 404 looks like. */
export const entryNotFound = refusal('There is no such entry')
