import { identityOf, isAnyOf, type KnownPerson } from '../people.ts'
import type { Question } from './question.ts'
import type { Delegation } from './state.ts'

/** What an answer to it is remembered by, and found again; null: it is asked whatever others were told. */
export function sameQuestion({ remember, repo, title }: Question) {
  if (remember === null) return null
  const { scope, context } = remember
  return { scope, repo: scope === 'repository' ? repo : null, title, context }
}

type Remembered = { value: string; by: string[]; comment: string }

/**
 * Whether an answer that was given to the same words is one to this question: by people who may answer it, so many as it
 * needs, with a reason where it wants one. What anybody said must not pass for what a release manager was to say; what
 * somebody said in whose favour one of them had waived that does. `delegations`: of the question that was answered.
 */
export function answersToo(
  question: Question,
  people: KnownPerson[],
  { value, by, comment }: Remembered,
  delegations: Pick<Delegation, 'by' | 'to'>[],
): boolean {
  const { options, vetoes, needed, who, not, reason } = question
  if (options.length > 0 && !options.some((option) => option.value === value)) return false
  if (reason && comment.trim() === '') return false
  if (by.some((actor) => isAnyOf(not, actor, people))) return false
  const allowed = withDelegates(question, people, delegations)
  if (who.length > 0 && !by.every((actor) => isAnyOf(allowed, actor, people))) return false
  return vetoes.includes(value) || new Set(by.map((actor) => identityOf(actor, people))).size >= needed
}

/** Oldest first: whom somebody let answer could let others. One who may not answer this question lets nobody. */
function withDelegates(
  { who, not, onlyWho }: Question,
  people: KnownPerson[],
  delegations: Pick<Delegation, 'by' | 'to'>[],
): string[] {
  if (onlyWho) return who
  return delegations.reduce(
    (allowed, { by, to }) => (isAnyOf(allowed, by, people) && !isAnyOf(not, by, people) ? [...allowed, to] : allowed),
    who,
  )
}

/** Of the audit's entries `clarification.delegated`, oldest first: who let whom answer this question. */
export function delegationsIn(
  entries: { actor: string; details: Record<string, unknown> }[],
  clarification: string,
): Pick<Delegation, 'by' | 'to'>[] {
  return entries
    .filter(({ details }) => details['id'] === clarification)
    .map(({ actor, details }) => ({ by: actor, to: String(details['to']) }))
}
