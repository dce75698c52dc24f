import type { Decision, Rule } from './decision.ts'
import type { Instant, SnapshotFacts, Waiting } from './pull-request.ts'

/** The remote that `init` makes. */
const remote = 'switchyard'

/** What a PR that was not approved waits for, and who can act. */
export function waitingAfter(snapshot: SnapshotFacts, decision: Decision, since: Instant): Waiting {
  const until = new Date(Date.parse(since) + snapshot.policy.merge.staleAfter).toISOString()
  const open = decision.rules.filter((rule) => rule.outcome !== 'pass')
  const first = open.find((rule) => rule.outcome === 'fail') ?? open[0]
  if (first === undefined) {
    return {
      for: 'pr merge: merge.auto is off',
      since,
      until,
      who: [snapshot.author],
      command: command('merge', snapshot),
    }
  }
  return { for: `${first.rule}: ${first.reason}`, since, until, ...whoCanAct(first, snapshot) }
}

function whoCanAct(rule: Rule, snapshot: SnapshotFacts): Pick<Waiting, 'who' | 'command'> {
  const push = { who: [snapshot.author], command: `git push ${remote} ${shellWord(snapshot.head.ref)}` }
  switch (rule.rule) {
    case 'not-draft':
      return { who: [snapshot.author], command: command('ready', snapshot) }
    case 'review':
      if (rule.rules?.some((child) => child.rule === 'no-changes-requested' && child.outcome === 'fail')) {
        return { who: snapshot.changesRequestedBy, command: command('approve', snapshot) }
      }
      if (rule.rules?.some((child) => child.rule === 'criteria' && child.outcome === 'fail')) return push
      if (rule.rules?.some((child) => child.rule === 'criteria' && child.outcome !== 'pass')) break
      return { who: [`anybody but ${snapshot.author}`], command: command('approve', snapshot) }
    default:
      break
  }
  if (rule.outcome === 'fail') return push
  if (rule.rule === 'tests' && !snapshot.policy.checks.some((check) => check.name === 'tests')) {
    const command = `git push -o allow-direct ${remote} ${shellWord(snapshot.base.ref)}`
    return { who: [`whoever may push .switchyard.yaml to ${snapshot.base.ref}`], command }
  }
  return { who: [snapshot.author], command: command('review', snapshot) }
}

function command(verb: string, { repo, number }: Pick<SnapshotFacts, 'repo' | 'number'>): string {
  return `switchyard pr ${verb} ${number} --repo ${repo}`
}

/** One word for a shell: git allows `;` and `$(…)` in a branch name, and this is printed to be pasted. */
function shellWord(text: string): string {
  return /^[\w./@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** What an approved PR waits for after the queue ejected it. */
export function waitingAfterEjection(snapshot: SnapshotFacts, reason: string, since: Instant): Waiting {
  const until = new Date(Date.parse(since) + snapshot.policy.merge.staleAfter).toISOString()
  return {
    for: `ejected from the merge queue: ${reason}`,
    since,
    until,
    who: [snapshot.author],
    command: command('merge', snapshot),
  }
}
