import { identityOf, type KnownPerson } from './people.ts'
import type { Instant, Review, Sha } from './pull-request.ts'

/** Approvals that are their author's newest word, and of an earlier head: they count no more. */
export function staleApprovals(
  reviews: Review[],
  head: Sha,
  people: KnownPerson[] = [],
): { by: string; head: Sha; at: Instant }[] {
  return newestVerdicts(reviews, people)
    .filter((review) => review.state === 'approved' && review.head !== head)
    .map(({ author: by, head, at }) => ({ by, head, at }))
    .sort((a, b) => (a.by < b.by ? -1 : 1))
}

function newestVerdicts(reviews: Review[], people: KnownPerson[]): Review[] {
  const newest = new Map<string, Review>()
  for (const review of [...reviews].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    if (review.state !== 'commented') newest.set(identityOf(review.author, people), review)
  }
  return [...newest.values()]
}

/**
 * Each reviewer's newest verdict counts; a comment is no verdict. An approval counts for its head only and never from
 * the author; a request for changes blocks until that person lifts it, whatever is pushed. Under whichever of their names
 * somebody reviews, they are one person.
 */
export function verdicts(
  reviews: Review[],
  head: Sha,
  author: string,
  people: KnownPerson[] = [],
): { approvedBy: string[]; changesRequestedBy: string[] } {
  const person = (actor: string) => identityOf(actor, people)
  const newest = newestVerdicts(reviews, people)
  const from = (state: Review['state'], accept: (review: Review) => boolean) =>
    newest
      .filter((review) => review.state === state && accept(review))
      .map((review) => review.author)
      .sort()
  return {
    approvedBy: from('approved', (review) => review.head === head && person(review.author) !== person(author)),
    changesRequestedBy: from('changes-requested', () => true),
  }
}
