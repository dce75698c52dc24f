import type { QueueReport } from '#contracts/pull-request'
import { limits } from '#domain/clarification/question'
import { isRecord } from '#domain/record'

/** null: it is no word of a merge queue. Anybody can signal a workflow anything. */
export function readReport(word: unknown): QueueReport | null {
  if (!isRecord(word) || typeof word['head'] !== 'string') return null
  if (word['branch'] !== undefined && typeof word['branch'] !== 'string') return null
  return isOutcome(word) ? (word as QueueReport) : null
}

function isOutcome({ outcome, position, candidate, merged, reason, kind }: Record<string, unknown>): boolean {
  switch (outcome) {
    case 'queued':
      return typeof position === 'number' && Number.isFinite(position)
    case 'testing':
      return typeof candidate === 'string'
    case 'landed':
      return isRecord(merged) && hasTexts(merged, ['sha', 'tree', 'method', 'at']) && isInstant(merged['at'])
    case 'ejected':
      return typeof reason === 'string' && (kind === undefined || typeof kind === 'string')
    default:
      return false
  }
}

/** Why what `merge` or `hold` was given can't be read; null where it can. */
export function problemOfAsk(payload: unknown): string | null {
  if (!isRecord(payload)) return 'it is no object'
  const { by, head, reason, cancel } = payload
  if (typeof by !== 'string' || by.trim() === '' || by.length > limits.name) return '`by` is no name'
  if (head !== undefined && typeof head !== 'string') return '`head` is no text'
  if (reason !== undefined && typeof reason !== 'string') return '`reason` is no text'
  return cancel !== undefined && typeof cancel !== 'boolean' ? '`cancel` is neither true nor false' : null
}

function hasTexts(given: Record<string, unknown>, names: string[]): boolean {
  return names.every((name) => typeof given[name] === 'string')
}

function isInstant(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value))
}
