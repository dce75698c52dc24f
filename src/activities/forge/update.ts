import type { PullRequest } from '#domain/pull-request'
import { changeEntries } from './audit.ts'
import { notProtected } from './create.ts'
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
  const wanted = changedFields(record, changes)
  if (Object.keys(wanted).length === 0) return engine.present(record)
  const invalid = invalidText(wanted)
  if (invalid) throw new ForgeError('conflict', invalid.detail)
  if (wanted.state) await checkTransition(engine, record, wanted.state)
  const hint: NewHint = { kind: 'pull-request', number, ref: record.head.ref }
  const updatedAt = engine.now()
  const updated = await engine.records.update(repo, number, [record.state], { ...wanted, updatedAt }, [hint])
  if (!updated) throw new ForgeError('conflict', `#${number} of ${repo} changed at the same moment; try again.`)
  for (const entry of changeEntries(record, wanted, actor, updatedAt)) await engine.audit(entry)
  engine.happened(effect(record, wanted.state === 'closed' ? 'closed' : 'updated', Object.keys(wanted).join(',')))
  return engine.present(await engine.record(repo, number))
}

function changedFields(record: PullRequestRecord, changes: PullRequestChanges): PullRequestChanges {
  const different = Object.entries(changes).filter(
    ([field, value]) =>
      value !== undefined && JSON.stringify(record[field as keyof PullRequestChanges]) !== JSON.stringify(value),
  )
  return Object.fromEntries(different)
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
