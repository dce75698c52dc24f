import { ApplicationFailure, condition, currentUpdateInfo, log, setHandler } from '@temporalio/workflow'
import { hold, look, merge, pullRequestStatus, report, review } from '#contracts/pull-request'
import type { SnapshotFacts } from '#domain/pull-request'
import { askToHold, askToMerge, askToReview, recordUpdate, whyNotMerged, whyNotReviewed } from './commands.ts'
import type { PullRequestRun } from './pull-request-run.ts'
import { problemOfAsk, readReport } from './pull-request-words.ts'

export function handleMessages(run: PullRequestRun): void {
  const { number } = run.input
  const stillOpen = (..._args: unknown[]): void => {
    if (run.phase === 'landed' || run.phase === 'closed') throw notAllowed(`#${number} is ${run.phase}`)
  }
  const readable = (payload: unknown): void => {
    const problem = problemOfAsk(payload)
    if (problem !== null) throw ApplicationFailure.nonRetryable(`This can't be read: ${problem}.`, 'Invalid')
    stillOpen()
  }
  setHandler(look, () => void (run.lookPending = true), { description: 'Look at the forge again' })
  setHandler(report, (word: unknown) => hear(run, word), { description: 'What the merge queue did with this PR' })
  setHandler(
    merge,
    async ({ by, head }) => {
      const { head: current, base } = await firstLook(run)
      stillOpen()
      if (head !== undefined && head !== current.sha) {
        throw notAllowed(`the head of #${number} is ${current.sha}, not ${head}`)
      }
      const refusal = run.snapshot && whyNotMerged(run.snapshot)
      if (refusal !== null) throw notAllowed(refusal)
      const before = run.hold
      askToMerge(run, by, { head: current.sha, base: base.ref })
      recordUpdate(run, { id: updateId(), command: 'merge', by, before })
      run.lookPending = true
      return { phase: run.phase }
    },
    { validator: readable, description: 'Land this PR when it is approved' },
  )
  setHandler(
    review,
    () => {
      askToReview(run)
      run.lookPending = true
      return { phase: run.phase }
    },
    {
      validator: (..._args: unknown[]) => {
        stillOpen()
        const refusal = whyNotReviewed(run)
        if (refusal !== null) throw notAllowed(refusal)
      },
      description: 'Run the checks again that did not pass',
    },
  )
  handleHold(run, stillOpen, readable)
  setHandler(pullRequestStatus, () => run.status(), { description: 'Where this PR stands' })
}

function hear(run: PullRequestRun, word: unknown): void {
  const read = readReport(word)
  if (read === null) log.warn('a report that is none was dropped')
  else run.hear(read)
}

function handleHold(run: PullRequestRun, stillOpen: () => void, readable: (payload: unknown) => void): void {
  setHandler(
    hold,
    async ({ by, reason = '', cancel = false }) => {
      await firstLook(run)
      stillOpen()
      const before = run.hold
      const refusal = askToHold(run, { by, reason, cancel })
      if (refusal !== null) throw notAllowed(refusal)
      recordUpdate(run, { id: updateId(), command: cancel ? 'hold cancel' : 'hold', by, before })
      run.lookPending = true
      return { phase: run.phase }
    },
    { validator: readable, description: 'Keep this PR from landing, or lift that' },
  )
}

/** Nothing is done before it: it brings what an earlier run was told, such as the hold that is to be lifted. */
async function firstLook(run: PullRequestRun): Promise<SnapshotFacts> {
  await condition(() => run.snapshot !== null || run.waiting !== null)
  const { snapshot, waiting, input } = run
  if (snapshot === null) throw notAllowed(`#${input.number} could not be looked at yet: ${waiting?.for}`)
  return snapshot
}

function updateId(): string {
  return currentUpdateInfo()?.id ?? ''
}

function notAllowed(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'NotAllowed')
}
