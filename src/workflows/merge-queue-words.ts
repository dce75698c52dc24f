import type { MergeQueueEntry } from '#contracts/merge-queue'

const texts = ['head', 'title', 'snapshotId', 'policyDigest', 'enqueuedAt', 'enqueuedBy']

/** null: it is no entry. Anybody can signal a workflow anything. */
export function readEntry(word: unknown): MergeQueueEntry | null {
  if (!isRecord(word) || !isNumber(word['number']) || texts.some((name) => typeof word[name] !== 'string')) return null
  const { checks, evidenceMaxAge } = word
  if (checks !== undefined && !Array.isArray(checks)) return null
  return typeof evidenceMaxAge === 'number' ? (word as unknown as MergeQueueEntry) : null
}

/** Whose entry is to go; null where that can't be read. */
export function readLeave(word: unknown): { number: number; head: string } | null {
  if (!isRecord(word) || !isNumber(word['number']) || typeof word['head'] !== 'string') return null
  return { number: word['number'], head: word['head'] }
}

function isNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
