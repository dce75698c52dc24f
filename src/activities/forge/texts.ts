import type { CreateRefusal, NewPullRequest } from './port.ts'

/** GitHub's limit, in characters. */
const MAX_TITLE = 256
/** Bytes of UTF-8: what is written here goes through histories and into the ledger. */
const MAX_BODY = 64 * 1024
/** GitHub's limit, in characters. */
const MAX_LABEL = 50
const MAX_LABELS = 20

type InvalidText = { reason: Extract<CreateRefusal, `invalid-${string}`>; detail: string }

/** What is wrong with the texts of a PR, a comment or a review; null when nothing is. */
export function invalidText({
  title,
  body,
  labels,
}: Partial<Pick<NewPullRequest, 'title' | 'body' | 'labels'>>): InvalidText | null {
  if (title?.trim() === '') return { reason: 'invalid-title', detail: 'A pull request needs a title.' }
  const titleLength = length(title?.trim())
  if (titleLength > MAX_TITLE) {
    return { reason: 'invalid-title', detail: `The title has ${titleLength} characters; at most ${MAX_TITLE} fit.` }
  }
  const bytes = Buffer.byteLength(body ?? '')
  if (bytes > MAX_BODY) {
    return { reason: 'invalid-body', detail: `The text has ${bytes} bytes; at most ${MAX_BODY} fit. Link to the rest.` }
  }
  if (labels && labels.length > MAX_LABELS) {
    return { reason: 'invalid-labels', detail: `There are ${labels.length} labels; at most ${MAX_LABELS} fit.` }
  }
  const label = labels?.find((each) => length(each) > MAX_LABEL)
  if (label === undefined) return null
  const start = JSON.stringify([...label].slice(0, MAX_LABEL).join(''))
  return {
    reason: 'invalid-labels',
    detail: `The label that starts with ${start} is longer than ${MAX_LABEL} characters.`,
  }
}

function length(text = ''): number {
  return [...text].length
}
