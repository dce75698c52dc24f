import { expiryOf, nextRung } from '#domain/clarification/ladder'
import { answerersOf, isSettled, type ClarificationState, type Refusal } from '#domain/clarification/state'
import { escapeMarkdown, plainText } from '#domain/text'

const MAX_LINE = 300
/** A page takes some 20 KB in all. */
const MAX_CONTEXT = 2_000

/** What a run's page shows, in Markdown. */
export function renderClarification(
  state: ClarificationState,
  refused: { what: string; refusal: Refusal } | null,
  id: string,
): string {
  const { question, answers, remarks, outcome } = state
  const rung = nextRung(state)
  const who = answerersOf(state)
  const expiry = outcome === null && rung?.action !== 'expire' ? expiryOf(state) : null
  const lines = [
    `**${shown(question.title)}**`,
    question.context.trim() === '' ? null : quoted(question.context),
    outcome === null
      ? 'open'
      : [outcome.state, outcome.value, outcome.comment].filter(Boolean).map(shownText).join(': '),
    `Who may answer: ${who.length === 0 ? 'anybody' : shown(who.join(', '))}`,
    question.options.length === 0 ? null : `Options: ${shown(question.options.map(({ value }) => value).join(', '))}`,
    rung === null ? null : `Next: ${rung.action} at ${rung.at}`,
    expiry === null ? null : `Expires at ${expiry}, then: ${question.ladder.atExpiry}`,
    isSettled(state)
      ? null
      : `Answer with \`switchyard answer ${id} ${question.options.length > 0 ? '<option>' : '<text>'}\``,
    ...answers.map(({ by, value, at }) => `- ${shown(by)} answered ${shown(value)} at ${at}`),
    ...remarks.map(({ by, text, at }) => `- ${shown(by)} at ${at}: ${shown(text)}`),
    refused === null ? null : `Refused, a ${refused.what}: ${shown(refused.refusal.message)}`,
  ]
  return lines.filter((line) => line !== null).join('\n\n')
}

function shownText(text: string | null): string {
  return shown(text ?? '')
}

function shown(text: string): string {
  return escapeMarkdown(text.slice(0, MAX_LINE))
}

/** Markdown of others, without HTML: a quotation, so that it is not taken for what the page itself says. */
function quoted(context: string): string {
  const text = plainText(context.trim(), { multiline: true }).replaceAll('<', '&lt;')
  const characters = [...text]
  const beginning = characters.length > MAX_CONTEXT ? `${characters.slice(0, MAX_CONTEXT).join('')}…` : text
  return beginning
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n')
}
