// At most so many groups of one answer, and characters of one, are heeded; RFC 9875, 2.2 asks for 32 and 32 at the least.
const most = { groups: 32, characters: 256 }

/**
 * The groups that a Cache-Groups or Cache-Group-Invalidation header names: a list of strings.
 * @returns undefined when it is malformed, or names more than is heeded
 * @see RFC 9875, 2 and 3; RFC 8941, 3.1
 */
export function groupsOf (header: unknown): string[] | undefined {
  if (header === undefined) return []
  const text = Array.isArray(header) ? header.join(', ') : String(header)
  // A member may carry parameters, which mean nothing here.
  if (!/^\s*"(?:[^"\\]|\\["\\])*"(?:;[^,"]*)?(?:\s*,\s*"(?:[^"\\]|\\["\\])*"(?:;[^,"]*)?)*\s*$/.test(text)) return undefined
  const names = [...text.matchAll(/"((?:[^"\\]|\\["\\])*)"/g)].map(([, name]) => name!.replace(/\\(.)/g, '$1')).filter(name => name !== '')
  return names.length > most.groups || names.some(name => name.length > most.characters) ? undefined : [...new Set(names)]
}
