import { reviewEntry } from './audit.ts'
import { effect, type Engine } from './engine.ts'
import { ForgeError, type Forge } from './port.ts'
import { invalidText } from './texts.ts'

/** Comments, reviews and checks. A comment of ours is no news to us: it makes no hint. */
export function conversation(
  engine: Engine,
): Pick<Forge, 'submitReview' | 'upsertComment' | 'addComment' | 'listComments' | 'react' | 'setCheck' | 'listChecks'> {
  const { records } = engine
  return {
    async submitReview(repo, number, input, snapshotId = null, key) {
      const record = await engine.record(repo, number)
      refuseLongBody(input.body)
      const review = { ...input, at: engine.now() }
      const entry = reviewEntry(record, review, snapshotId, key ?? null)
      if (await records.addReview(repo, number, review, entry, key !== undefined)) {
        engine.happened(effect(record, 'reviewed', input.state))
        return review
      }
      const { author, state, head } = input
      const before = (await records.reviews(repo, number)).find(
        (each) => each.author === author && each.state === state && each.head === head,
      )
      return before ?? review
    },
    async upsertComment(repo, number, key, body) {
      const record = await engine.record(repo, number)
      const before = (await records.comments(repo, number)).find((comment) => comment.key === key)
      if (before?.body === body) return before
      const at = engine.now()
      const comment = { key, author: 'switchyard', body, createdAt: at, updatedAt: at }
      const written = await records.putComment(repo, number, comment)
      engine.happened(effect(record, before ? 'comment-edited' : 'commented', key))
      return written
    },
    async addComment(repo, number, author, body) {
      const record = await engine.record(repo, number)
      refuseLongBody(body)
      const at = engine.now()
      const comment = await records.addComment(repo, number, { key: null, author, body, createdAt: at, updatedAt: at })
      engine.happened(effect(record, 'commented', author))
      return comment
    },
    async listComments(repo, number) {
      await engine.record(repo, number)
      return records.comments(repo, number)
    },
    async react(repo, number, commentId, reaction) {
      const record = await engine.record(repo, number)
      const known = await records.putReaction(repo, number, commentId, reaction)
      if (!known) throw new ForgeError('invalid', `#${number} of ${repo} has no comment ${commentId}.`)
      engine.happened(effect(record, 'reacted', `${commentId} ${reaction}`))
    },
    async setCheck(repo, head, check) {
      engine.repository(repo)
      await records.putCheck(repo, head, check)
      engine.happened({ effect: 'checked', repo, number: null, subject: check.name, from: null, to: head })
    },
    async listChecks(repo, head) {
      engine.repository(repo)
      return records.checks(repo, head)
    },
  }
}

function refuseLongBody(body: string): void {
  const invalid = invalidText({ body })
  if (invalid) throw new ForgeError('invalid', invalid.detail)
}
