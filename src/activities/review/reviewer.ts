import { toFinding } from '#domain/check-report'
import type { Finding, LogReference } from '#domain/evidence'
import { maskedText } from '#domain/mask'
import type { ReviewerPolicy, CommandPolicy } from '#domain/policy'
import { conflictMarkers, forbiddenPaths, oversizedFiles } from '#domain/review'
import { parseReviewerAnswer } from '#domain/reviewer-answer'
import { oneLine } from '#domain/text'
import type { CommandOutcome, CommandRunner } from '../tests/port.ts'
import { markerLines } from './added-lines.ts'
import { pathMatcher } from './paths.ts'
import type { Reviewer, ReviewOutcome, ReviewRun } from './port.ts'

/** Bytes of the diff that a reviewer gets on standard input. */
const stdinLimit = 5 * 1024 * 1024
const messageLimit = 500

type Diff = { text: string; truncated: boolean }
type Verdict = {
  conclusion: ReviewOutcome['conclusion']
  reason: string | null
  findings: Finding[]
  log: LogReference | null
}

/**
 * The built-in criteria, and each command that the policy names, one after the other.
 *
 * A command runs in a checkout of the **base**, not of the PR: a PR must not rewrite the reviewer that judges it. What
 * it judges is the diff on its standard input (at most 5 MB); `SWITCHYARD_BASE_SHA`, `SWITCHYARD_HEAD_SHA`,
 * `SWITCHYARD_REPO`, `SWITCHYARD_PR` and `SWITCHYARD_DIFF_TRUNCATED` (`true` or `false`) are in its environment. It
 * answers on its standard output (see `parseReviewerAnswer`). The findings decide, whatever the exit code; an exit code
 * other than 0 without findings fails the review.
 */
export function createReviewer({ runner }: { runner: CommandRunner }): Reviewer {
  return {
    async review(run: ReviewRun): Promise<ReviewOutcome> {
      const builtIn = await builtInFindings(run)
      run.signal.throwIfAborted()
      const verdicts: Verdict[] = []
      if (run.policy.reviewers.length > 0) {
        const diff = await run.git.diff(run.mergeBase, run.head, stdinLimit)
        for (const [index, reviewer] of run.policy.reviewers.entries()) {
          verdicts.push(await askReviewer(runner, run, reviewer, index, diff))
        }
      }
      return conclude(builtIn, verdicts)
    },
  }
}

async function builtInFindings({ git, mergeBase, head, policy, signal }: ReviewRun): Promise<Finding[]> {
  const paths = await git.changedPaths(mergeBase, head)
  const files = await git.changedFiles(mergeBase, head)
  const added = git.additions({ from: mergeBase, to: head, findRenames: true }, signal)
  return [
    ...conflictMarkers(await markerLines(added)),
    ...oversizedFiles(files, policy.maxFileSize),
    ...forbiddenPaths(paths, pathMatcher(policy.forbiddenPaths)),
  ].map(presentable)
}

async function askReviewer(
  runner: CommandRunner,
  run: ReviewRun,
  reviewer: ReviewerPolicy,
  index: number,
  diff: Diff,
): Promise<Verdict> {
  const outcome = await runner.run({
    repo: run.repo,
    gitDir: run.git.gitDir,
    commit: run.base,
    trusted: run.base,
    policy: asCommandPolicy(reviewer),
    stdin: diff.text,
    env: {
      SWITCHYARD_REPO: run.repo,
      SWITCHYARD_PR: `${run.number}`,
      SWITCHYARD_BASE_SHA: run.base,
      SWITCHYARD_HEAD_SHA: run.head,
      SWITCHYARD_DIFF_TRUNCATED: `${diff.truncated}`,
    },
    logName: `${run.logName}-${index + 1}`,
    signal: run.signal,
    onStage: run.onStage,
  })
  return judge(reviewer.name, outcome)
}

function asCommandPolicy({ run, timeout }: ReviewerPolicy): CommandPolicy {
  return { run, timeout, setup: null, keep: null, retries: 0, network: false, env: [] }
}

function judge(name: string, outcome: CommandOutcome): Verdict {
  const { conclusion, log } = outcome
  if (conclusion === 'timed-out' || conclusion === 'infrastructure') {
    return { conclusion, reason: presentableText(`reviewer ${name}: ${outcome.reason}`), findings: [], log }
  }
  const answer = parseReviewerAnswer(name, outcome.stdout)
  const found = answer.outcome === 'valid' ? answer.findings : []
  if (conclusion === 'failed' && found.length === 0) {
    return { conclusion, reason: presentableText(`reviewer ${name}: ${outcome.reason}`), findings: [], log }
  }
  if (answer.outcome === 'failed') {
    return { conclusion: 'failed', reason: presentableText(answer.reason), findings: [], log }
  }
  const findings = found.map((each) => presentable(toFinding({ ...each, rule: `${name}/${each.rule}` })))
  const failed = found.some(({ severity }) => severity === 'error')
  return { conclusion: failed ? 'failed' : 'passed', reason: null, findings, log }
}

/** A finding is a result, so it outweighs what could not be found out. */
function conclude(builtIn: Finding[], verdicts: Verdict[]): ReviewOutcome {
  const findings = [...builtIn, ...verdicts.flatMap((verdict) => verdict.findings)]
  const decisive =
    verdicts.find(({ conclusion }) => conclusion === 'failed') ??
    verdicts.find(({ conclusion }) => conclusion === 'timed-out') ??
    verdicts.find(({ conclusion }) => conclusion === 'infrastructure')
  const conclusion = builtIn.length > 0 ? 'failed' : (decisive?.conclusion ?? 'passed')
  const reasons = verdicts.flatMap(({ reason }) => (reason === null ? [] : [reason]))
  if (findings.length > 0 || reasons.length === 0) reasons.unshift(summary(findings))
  return { conclusion, reason: reasons.join('; '), findings, log: (decisive ?? verdicts.at(-1))?.log ?? null }
}

const NAMED = 3
/** Characters of each where there are several. */
const MAX_NAMED = 200

/** Of the first ones what and where; all of them are in the evidence. */
function summary(findings: Finding[]): string {
  if (findings.length === 0) return 'no findings'
  const named = findings.slice(0, NAMED).map(({ message, path, line }) => {
    const place = path === null ? '' : ` in ${path}${line === null ? '' : `:${line}`}`
    return `${findings.length === 1 ? message : oneLine(message, MAX_NAMED)}${place}`
  })
  const more = findings.length > NAMED ? ['…'] : []
  return `${findings.length} finding${findings.length === 1 ? '' : 's'}: ${[...named, ...more].join(', ')}`
}

function presentable(finding: Finding): Finding {
  return {
    ...finding,
    rule: presentableText(finding.rule),
    message: presentableText(finding.message),
    path: finding.path === null ? null : presentableText(finding.path),
  }
}

/**
 * Masked when it is plain, for an escape sequence within a secret would hide it; and before it is cut, for half a
 * secret no longer looks like one.
 */
function presentableText(text: string): string {
  return maskedText(text).slice(0, messageLimit)
}
