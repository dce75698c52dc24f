import { isRecord } from '../record.ts'
import { limits } from './question.ts'
import {
  MAX_REMARKS,
  type Answer,
  type Channel,
  type ClarificationOutcome,
  type OutcomeState,
  type Remark,
} from './state.ts'

const states: unknown[] = ['answered', 'defaulted', 'expired', 'parked', 'cancelled'] satisfies OutcomeState[]
const channels: unknown[] = ['cli', 'signal', 'inbox', 'comment'] satisfies Channel[]

/** The last answer may go beyond what was said before it, by as much as one can say. */
const MAX_ANSWERS = limits.said + 4 * limits.text

/**
 * An outcome from a word that anybody may have sent: with the fields it has and no others, none longer than a question
 * lets it be; null where it is none. Whoever asked carries it from run to run.
 */
export function readOutcome(word: unknown): ClarificationOutcome | null {
  if (!isRecord(word)) return null
  const { state, value, by, at, comment, answers, remembered } = word
  if (!states.includes(state) || !(value === null || isText(value)) || !isText(comment) || !isName(at)) return null
  if (!Array.isArray(by) || by.length > limits.who || !by.every(isName)) return null
  const read = readAnswers(answers, at)
  if (read === null || !(remembered === undefined || isName(remembered))) return null
  return {
    ...{ state: state as OutcomeState, value, by, at, comment, answers: read },
    ...(remembered === undefined ? {} : { remembered }),
  }
}

/** What was said of a question so far. */
export type Said = { answers: Answer[]; remarks: Remark[] }

/** From a word that anybody may have sent, as an outcome is; null where it is none. */
export function readSaid(word: unknown): Said | null {
  if (!isRecord(word)) return null
  const { answers, remarks } = word
  const read = readAnswers(answers, '')
  if (read === null || read.some(({ at }) => at === '')) return null
  if (!Array.isArray(remarks) || remarks.length > MAX_REMARKS) return null
  const said = remarks.map(readRemark)
  return said.includes(null) ? null : { answers: read, remarks: said as Remark[] }
}

function readRemark(remark: unknown): Remark | null {
  if (!isRecord(remark)) return null
  const { by, text, at } = remark
  return isName(by) && by !== '' && isText(text) && isName(at) ? { by, text, at } : null
}

function readAnswers(answers: unknown, end: string): Answer[] | null {
  if (!Array.isArray(answers)) return null
  const read: Answer[] = []
  let length = 0
  for (const each of answers as unknown[]) {
    const answer = readAnswer(each, end)
    if (answer === null) return null
    length += answer.by.length + answer.value.length + answer.comment.length
    if (length > MAX_ANSWERS) return null
    read.push(answer)
  }
  return read
}

function readAnswer(answer: unknown, end: string): Answer | null {
  if (!isRecord(answer)) return null
  const { by, value, comment, through, at } = answer
  if (!isName(by) || by === '' || !isText(value) || !isText(comment)) return null
  return {
    by,
    value,
    comment,
    through: channels.includes(through) ? (through as Channel) : 'signal',
    at: isName(at) ? at : end,
  }
}

/** UTF-8 has a byte for each of its characters, or more. */
function isText(text: unknown): text is string {
  return typeof text === 'string' && text.length <= limits.text
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= limits.name
}
