/** Lives of a repository, in which every activity that workers have runs. */
import { randomBytes, randomInt } from 'node:crypto'
import { answer, delegate } from '#contracts/clarification'
import { mergeQueueId, pullRequestId } from '#contracts/ids'
import { pullRequestStatus } from '#contracts/pull-request'
import { tellClarification } from '#client/clarification-update'
import { CliError } from '#client/errors'
import { eventually, patience, pendingPoint, type Mark } from '../support/crash-points.ts'
import type { TestInstallation, TestRepository } from '../support/installation.ts'
import type { SampleRepository } from '../support/repositories.ts'
import { untilAtRest } from './at-rest.ts'
import { continueStopped } from './continue-stopped.ts'
import type { Expectation } from './invariants.ts'

const ANSWER_MS = 60_000 * patience

export const canaries = {
  environment: `canary-${randomBytes(12).toString('hex')}`,
  content: `AKIA${Array.from({ length: 16 }, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[randomInt(32)]).join('')}`,
}

/** What the check prints, and no log may hold. */
export const told = [canaries.environment, canaries.content, 'the environment has a canary']

const policy = `version: 1
checks:
  tests:
    run: sh check.sh
    timeout: 30s
  review: { approvals: { count: 0, ask: true } }
rules: [{ name: nothing-odd, require: { not: { paths: [odd.txt] } } }]
overrides: { rules: [nothing-odd], by: [owners] }
policyChange: { approvals: { count: 1, from: [owners] } }
`
/** Who may approve a change of the policy and let pass what is odd, and is asked. */
const owner = 'bob'
export const people = [{ name: owner, groups: ['owners'], notify: ['terminal'] }]

const check = `[ -z "$DEPLOY_TOKEN" ] || echo the environment has a canary
echo checked
cat leak.txt 2>/dev/null
[ ! -e broken ]
`

export async function fill(sample: SampleRepository): Promise<void> {
  await sample.commit({ message: 'add tests', files: { '.switchyard.yaml': policy, 'check.sh': check } })
  for (const name of ['one', 'two', 'three', 'odd']) {
    await sample.commit({ branch: name, message: `add ${name}`, files: { [`${name}.txt`]: `${name}\n` } })
  }
  const leak = `const accessKeyId = '${canaries.content}'\n`
  for (const [branch, times] of [
    ['policy', 'once'],
    ['policy-again', 'twice'],
  ] as const) {
    const files = { '.switchyard.yaml': `${policy}# changed ${times}\n` }
    await sample.commit({ branch, message: `change the policy ${times}`, files })
  }
  await sample.commit({ branch: 'bad', message: 'break it', files: { broken: 'yes\n', 'leak.txt': leak } })
}

/** `queue`: three PRs that land one behind the other. `whole`: in which every activity runs. */
export type Life = 'whole' | 'queue'

/** Of the PR whose pipeline somebody ends while the queue lands it, in a whole life. */
const ENDED = 4

/** The pipelines that somebody ends in a life. */
export function endedIn(repo: string, life: Life): string[] {
  return life === 'whole' ? [pullRequestId(repo, ENDED)] : []
}

/** What is done to a repository while it lives; named before its workers start. */
export function prepareLife({ faults }: TestInstallation, repo: string, life: Life): void {
  // The landing of each but the last has another behind it, whose candidate it makes.
  const queue = mergeQueueId(repo, 'main')
  faults.interferences.push({ repo, activity: 'buildCandidate', moment: 'before-effect', queue, entries: 3 })
  for (const terminate of endedIn(repo, life)) {
    const point = { repo, activity: 'landCandidate', moment: 'before-effect', number: ENDED } as const
    faults.interferences.push({ ...point, terminate })
  }
}

/**
 * Until all that was to happen has happened, and nothing moves any more; then a stopped worker goes on, too late. Answers
 * what must have become of the PRs.
 */
export async function live(rig: TestInstallation, repository: TestRepository, life: Life): Promise<Expectation[]> {
  const open = async (branch: string, outcome: Expectation['outcome']): Promise<Expectation> => ({
    ...(await rig.openPullRequest(repository, branch)),
    outcome,
  })
  const expected = [await open('one', 'merged'), await open('two', 'merged')]
  if (life === 'whole') expected.push(await open('bad', 'rejected'))
  expected.push(await open('three', 'merged'))
  const rest = (still: () => string | null) =>
    untilAtRest(
      rig,
      repository,
      expected.map(({ number }) => number),
      still,
    )
  await rest(() => null)
  const bad = expected.find(({ outcome }) => outcome === 'rejected')
  if (bad) {
    await askAndClose(rig, repository, bad, () => rest(() => null))
    const odd = { ...(await open('odd', 'merged')), overriddenBy: owner }
    expected.push(odd)
    await overrideAsAsked(rig, repository, odd)
    const change = { ...(await open('policy', 'merged')), approvedBy: owner }
    expected.push(change)
    await approveAsAsked(rig, repository, change)
  }
  const { faults } = rig
  const due = (until?: Mark) => {
    const point = pendingPoint(faults, repository.name, until)
    return point !== null && ahead.test(point) ? null : point
  }
  await rest(() => due('taken-over'))
  continueStopped(rig)
  await rest(() => due())
  return expected
}

/**
 * In the building of a candidate ahead of its turn, which a landing gives up after a second: on a busy machine the moment
 * may not come. Once all have landed it comes no more.
 */
const ahead = /^kill-worker at landCandidate:after-(?:git|runner)\./

const author = 'ada@example.test'

/** A person has the checks run again, and gives up. */
async function askAndClose(
  { installation: { forge } }: TestInstallation,
  { name }: TestRepository,
  bad: Expectation,
  rest: () => Promise<void>,
): Promise<void> {
  const { id } = await forge.addComment(name, bad.number, author, '/switchyard review')
  const isAnswered = async () =>
    (await forge.listComments(name, bad.number)).some((comment) => comment.id === id && comment.reactions.length > 0)
  await eventually(isAnswered, ANSWER_MS, () => `the comment on ${name}#${bad.number} is not answered`)
  await rest()
  await forge.updatePullRequest(name, bad.number, { state: 'closed' }, author)
  bad.outcome = 'closed'
}

/** The owner is asked whether what the policy refuses may land, and lets it. */
async function overrideAsAsked(rig: TestInstallation, repository: TestRepository, odd: Expectation): Promise<void> {
  await say(rig, await questionAbout(rig, repository, odd), { value: 'override', comment: 'it is meant so' })
}

/** The owner is asked about a change of the policy, then about another one in its place, and approves that. */
async function approveAsAsked(rig: TestInstallation, repository: TestRepository, change: Expectation): Promise<void> {
  const { sample } = rig
  const first = await questionAbout(rig, repository, change)
  await sample.git('push', '--quiet', '--force', repository.gitDir, 'refs/heads/policy-again:refs/heads/policy')
  change.head = await sample.sha('policy-again')
  const second = await questionAbout(rig, repository, change)
  if (first === second) throw new Error(`${first} is about two heads`)
  await passOn(rig, second)
  await say(rig, second, { value: 'approve' })
}

/** Somebody else may answer as well, who then is told. */
async function passOn({ connected }: TestInstallation, question: string): Promise<void> {
  const isPassedOn = () =>
    tellClarification(connected, question, delegate, { by: owner, to: 'bob@example.test' }).then(
      () => true,
      () => false,
    )
  await eventually(isPassedOn, ANSWER_MS, () => `${question} is not passed on`)
}

/** The id of the open question about the PR as it was pushed last, once its people were told: an answer would stop that. */
async function questionAbout(
  { connected }: TestInstallation,
  { name }: TestRepository,
  { number, head }: Expectation,
): Promise<string> {
  const handle = connected.client.workflow.getHandle(pullRequestId(name, number))
  const asked = async () => {
    const status = await handle.query(pullRequestStatus).catch(() => null)
    return status?.head?.sha === head && /asked as (ask:[0-9a-f]+)/.exec(status.waiting?.for ?? '')?.[1]
  }
  const question = await eventually(asked, ANSWER_MS, () => `nobody is asked about ${name}#${number} at ${head}`)
  const isTold = async () => {
    const { raw } = await connected.client.workflow.getHandle(question).describe()
    return raw.pendingActivities?.every(({ activityType }) => activityType?.name !== 'tellPeople') ?? true
  }
  await eventually(isTold, ANSWER_MS, () => `nobody is told of ${question}`)
  return question
}

async function say(
  { connected }: TestInstallation,
  question: string,
  said: { value: string; comment?: string },
): Promise<void> {
  const isTold = () =>
    tellClarification(connected, question, answer, { by: owner, ...said }).then(
      () => true,
      // The acknowledgement was lost, and the answer was not.
      (error: unknown) => error instanceof CliError && error.code === 'ended',
    )
  await eventually(isTold, ANSWER_MS, () => `${question} takes no answer`)
}
