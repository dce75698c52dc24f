import type { PullRequest, Sha } from '#domain/pull-request'
import { changeEntries } from './audit.ts'
import { checkBranches, notProtected } from './create.ts'
import { effect, refresh, type Engine } from './engine.ts'
import { ForgeError, type PullRequestChanges } from './port.ts'
import type { NewHint, PullRequestRecord } from './records.ts'
import { invalidText } from './texts.ts'

export async function updatePullRequest(
  engine: Engine,
  repo: string,
  number: number,
  changes: PullRequestChanges,
  actor: string,
): Promise<PullRequest> {
  const record = await refresh(engine, await engine.record(repo, number))
  const { base, ...wanted } = changedFields(record, changes)
  if (base === undefined && Object.keys(wanted).length === 0) return engine.present(record)
  const invalid = invalidText(wanted)
  if (invalid) throw new ForgeError('invalid', invalid.detail)
  const rebased = base === undefined ? {} : await newBase(engine, record, base)
  if (wanted.state) await checkTransition(engine, record, wanted.state)
  const hint: NewHint = { kind: 'pull-request', number, ref: record.head.ref }
  const updatedAt = engine.now()
  const entries = changeEntries(record, base === undefined ? wanted : { ...wanted, base }, actor, updatedAt)
  const all = { ...wanted, ...rebased, updatedAt }
  const updated = await engine.records.update(repo, number, [record.state], all, [hint], entries)
  if (!updated) throw new ForgeError('conflict', `#${number} of ${repo} changed at the same moment; try again.`)
  engine.happened(effect(record, wanted.state === 'closed' ? 'closed' : 'updated', Object.keys(wanted).join(',')))
  return engine.present(await engine.record(repo, number))
}

function changedFields(record: PullRequestRecord, changes: PullRequestChanges): PullRequestChanges {
  const current = { ...record, base: record.base.ref }
  const different = Object.entries(changes).filter(
    ([field, value]) =>
      value !== undefined && JSON.stringify(current[field as keyof PullRequestChanges]) !== JSON.stringify(value),
  )
  return Object.fromEntries(different)
}

/** As on GitHub only an open PR gets another base. */
async function newBase(
  engine: Engine,
  { repo, number, state, head }: PullRequestRecord,
  base: string,
): Promise<{ baseRef: string; baseSha: Sha }> {
  if (state !== 'open') throw new ForgeError('conflict', `#${number} of ${repo} is ${state}; its base stays as it is.`)
  const refused = await checkBranches(engine, repo, { head: head.ref, base })
  if ('outcome' in refused) throw new ForgeError('invalid', refused.detail)
  return { baseRef: base, baseSha: refused.base }
}

async function checkTransition(engine: Engine, record: PullRequestRecord, to: 'open' | 'closed'): Promise<void> {
  const { repo, number, head, base } = record
  if (record.state === 'merged') {
    throw new ForgeError(
      'conflict',
      `#${number} of ${repo} is merged; it can't be ${to === 'open' ? 'reopened' : 'closed'}.`,
    )
  }
  if (to === 'closed') return
  const exists = await engine.repository(repo).resolve(`refs/heads/${head.ref}`)
  if (!exists) throw new ForgeError('conflict', `The branch ${head.ref} is gone; push it, then reopen #${number}.`)
  const unprotected = await notProtected(engine, repo, base.ref)
  if (unprotected) throw new ForgeError('conflict', unprotected)
  const others = await engine.records.list(repo, 'open')
  const other = others.find((each) => each.head.ref === head.ref && each.number !== number)
  if (other) throw new ForgeError('conflict', `#${other.number} is open for the branch ${head.ref} already.`)
}
