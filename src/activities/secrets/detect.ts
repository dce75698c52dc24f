import { lintSource } from '@secretlint/core'
import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import { extname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { findSecrets, isPlaceholder, type SecretMatch } from '#domain/secret-patterns'

/**
 * The preset has a rule that obeys `secretlint-disable` comments. It stays out: a PR must not allow its own secret,
 * only the base branch's policy may.
 */
const obeysComments = '@secretlint/secretlint-rule-filter-comments'
const rulePrefix = '@secretlint/secretlint-rule-'

/** AWS key ids are off by default in the preset; account ids come with them and are no secret. */
const overrides: Record<string, object> = {
  [`${rulePrefix}aws`]: { options: { enableIDScanRule: true }, allowMessageIds: ['AWSAccountID'] },
}

const config = {
  rules: rules
    .filter((rule) => rule.meta.id !== obeysComments)
    .map((rule) => ({ id: rule.meta.id, rule, ...overrides[rule.meta.id] })),
}

/** Characters scanned at once: bounds the time in which nothing else runs. */
const chunkLength = 64 * 1024
/** What two chunks share, so that a secret across their border is found in one of them. */
const overlap = 16 * 1024

/** All secrets in a text: the full preset of secretlint, and our own patterns. Calls itself off between chunks. */
export async function detectSecrets(path: string, text: string, signal: AbortSignal): Promise<SecretMatch[]> {
  return inChunks(text, signal, async (chunk) => {
    const matches = [...findSecrets(chunk), ...(await lint(path, chunk))]
    return preferSpecific(matches, chunk.length)
  })
}

/** The secrets that can't be anything else, for text that nobody wrote: what is printable of a binary file. */
export async function detectTokens(text: string, signal: AbortSignal): Promise<SecretMatch[]> {
  return inChunks(text, signal, async (chunk) => findSecrets(chunk, 'binary'))
}

async function inChunks(
  text: string,
  signal: AbortSignal,
  detect: (chunk: string) => Promise<SecretMatch[]>,
): Promise<SecretMatch[]> {
  const found = new Map<number, SecretMatch>()
  for (let offset = 0; offset === 0 || offset + overlap < text.length; offset += chunkLength - overlap) {
    // Lets heartbeats and cancellation through.
    await setImmediate()
    signal.throwIfAborted()
    for (const match of await detect(text.slice(offset, offset + chunkLength))) {
      found.set(match.start + offset, { ...match, start: match.start + offset, end: match.end + offset })
    }
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start)
}

async function lint(path: string, content: string): Promise<SecretMatch[]> {
  const { messages } = await lintSource({
    source: { content, filePath: path, ext: extname(path), contentType: 'text' },
    options: { config, noPhysicFilePath: true },
  })
  return messages
    .filter(({ range }) => !isTemplate(content.slice(range[0], range[1])))
    .map(({ ruleId, messageId, range }) => ({
      rule: ruleId.replace(rulePrefix, ''),
      kind: spoken(messageId),
      start: range[0],
      end: range[1],
    }))
}

/** `postgres://user:${PASSWORD}@host` and `mysql://root:password@localhost` are no leaks. */
function isTemplate(value: string): boolean {
  const password = /:\/\/[^\s:@/]{0,128}:([^\s@]{1,512})@/.exec(value.slice(0, 2048))?.[1]
  return password !== undefined && isPlaceholder(password)
}

/** `GITHUB_TOKEN` and `PostgreSQLConnection` as words. */
function spoken(messageId: string): string {
  return messageId
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
}

/** Of matches that overlap the first one is kept, and our own patterns know the secret's exact place. */
function preferSpecific(matches: SecretMatch[], length: number): SecretMatch[] {
  const taken = new Uint8Array(length)
  const vague = (match: SecretMatch): number => Number(match.rule === 'generic-assignment')
  return matches
    .toSorted((a, b) => vague(a) - vague(b))
    .filter(({ start, end }) => {
      if (taken.subarray(start, end).includes(1)) return false
      taken.fill(1, start, end)
      return true
    })
}
