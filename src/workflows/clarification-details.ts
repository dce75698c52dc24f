import { nextRung } from '#domain/clarification/ladder'
import { askedOf, type ClarificationState, type Refusal } from '#domain/clarification/state'
import { escapeMarkdown } from '#domain/text'

const MAX_LINE = 300

/** What a run's page shows, in Markdown. */
export function renderClarification(
  state: ClarificationState,
  refused: { what: string; refusal: Refusal } | null,
): string {
  const { question, answers, remarks, outcome } = state
  const rung = nextRung(state)
  const who = askedOf(state)
  const lines = [
    `**${shown(question.title)}**`,
    outcome === null
      ? 'open'
      : [outcome.state, outcome.value, outcome.comment].filter(Boolean).map(shownText).join(': '),
    `Who may answer: ${who.length === 0 ? 'anybody' : shown(who.join(', '))}`,
    question.options.length === 0 ? null : `Options: ${shown(question.options.map(({ value }) => value).join(', '))}`,
    rung === null ? null : `Next: ${rung.action} at ${rung.at}`,
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
