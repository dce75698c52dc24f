import { describe, expect, test } from 'vitest'
import { renderComment, renderDetails, type CommentInput } from '#domain/comment'
import { decide } from '#domain/decide'
import type { Rule } from '#domain/decision'
import type { Phase } from '#domain/pull-request'
import { waitingAfter } from '#domain/waiting'
import { checkResult, green, now, policyFacts, sha, snapshotFacts } from './facts.ts'

function comment(change: Partial<CommentInput> = {}): string {
  return renderComment({
    phase: 'waiting',
    head: sha('a'),
    base: 'main',
    decision: decide(snapshotFacts(), green, now),
    waiting: null,
    merged: null,
    policyProblem: null,
    isolationWarning: null,
    logs: 'switchyard logs 1 --repo shop',
    ...change,
  })
}

function redTests(reason: string): Partial<CommentInput> {
  const checks = { ...green, tests: checkResult('tests', { conclusion: 'failed', reason }) }
  return { phase: 'rejected', decision: decide(snapshotFacts(), checks, now) }
}

describe('the comment on a PR', () => {
  test('has one line for each criterion, each once', () => {
    const rules = [...comment().matchAll(/^- ✅ \*\*([a-z-]+)\*\*/gm)].map((match) => match[1])
    expect(rules).toEqual(['not-draft', 'no-conflicts', 'tests', 'review', 'no-secrets'])
  })

  test('marks a criterion that failed, with its reason', () => {
    expect(comment(redTests('3 of 90 failed'))).toContain('- ❌ **tests**: 3 of 90 failed')
  })

  test('opens a rule that did not pass into its parts', () => {
    const decision = decide(snapshotFacts({ policy: policyFacts({ approvals: 1 }) }), green, now)
    const text = comment({ decision })
    expect(text).toMatch(/^ {2}- ⏳ \*\*approvals\*\*: 0 of 1/m)
    expect(text).toMatch(/^ {2}- ✅ \*\*criteria\*\*/m)
  })

  test('says what it waits for, since and until when, who can act and how', () => {
    const snapshot = snapshotFacts({ draft: true })
    const decision = decide(snapshot, green, now)
    const text = comment({ decision, waiting: waitingAfter(snapshot, decision, now) })
    expect(text).toMatch(/^Waits for not.*draft: it is a draft, since 2026-03-01T12.* Until 2026-03-02T12/m)
    expect(text).toContain('Who can act: ann.')
    expect(text).toContain('```\nswitchyard pr ready 7 --repo shop\n```')
  })

  test('says what landed', () => {
    const merged = { sha: sha('e'), tree: sha('d'), method: 'squash', at: now } as const
    expect(comment({ phase: 'landed', merged })).toContain(`Landed as \`${'e'.repeat(12)}\` (squash) at ${now}.`)
  })

  test('shows why the policy of the base does not apply', () => {
    expect(comment({ policyProblem: 'line 3: unknown key' })).toMatch(
      /policy on `main` does not apply: line 3: unknown/,
    )
  })

  test('says when code runs without isolation, and only then', () => {
    expect(comment({ isolationWarning: 'trusted code only' })).toContain('⚠️ trusted code only')
    expect(comment({ isolationWarning: null })).not.toContain('⚠️')
  })

  test('is the same text for the same facts, so that an edit is not needed', () => {
    expect(comment()).toBe(comment())
  })

  const phases: Phase[] = ['checking', 'waiting', 'rejected', 'queued', 'testing', 'landing', 'landed', 'closed']
  test.each(phases)('has a title for %s, before any decision too', (phase) => {
    expect(comment({ phase, decision: null })).toMatch(/^### Switchyard: [A-Z]/)
  })
})

const hostile: [string, string, RegExp][] = [
  ['HTML', 'x <img src=y> <!-- z', /<img|<!--/],
  ['a mention', 'ask @bob or @org/team', /@\w/],
  ['a link', '[here](https://evil.example)', /\]\(|https:\/\//],
  ['an image', '![x](y)', /!\[/],
  ['emphasis', '**pass** __pass__', /\*\*pass|__pass/],
  ['a code span', '`pass`', /(?<!\\)`/],
  ['a code fence', 'x\n```\n- ✅ **tests**: y', /\n```|\n- ✅ \*\*tests/],
  ['another criterion on a new line', 'x\n- ✅ **no-secrets**: none', /\n- ✅ \*\*no-secrets/],
  ['a carriage return', 'x\r- ✅ **no-secrets**: none', /\r/],
  ['a line separator', `x${String.fromCharCode(0x2028)}y`, /\u2028/],
  ['an escape sequence', `x${String.fromCharCode(27)}[31m`, /\[31m/],
  ['a table', 'a | b', /(?<!\\)\|/],
  ['an entity', '&lt;b&gt;', /&lt;b/],
]

describe('text from outside in the comment is inert:', () => {
  test.each(hostile)('%s in a reason', (_name, reason, live) => {
    const line = comment(redTests(reason))
      .split(/\n(?=- )/)
      .find((part) => part.includes('**tests**'))
    expect(line).not.toMatch(live)
    expect(line!.trimEnd().split('\n')).toHaveLength(1)
  })

  test.each(hostile)('%s in the problem of the policy', (_name, policyProblem, live) => {
    const line = comment({ policyProblem, decision: null }).split('does not apply: ')[1]
    expect(line).not.toMatch(live)
  })

  test.each(hostile)('%s in a title', (_name, title, live) => {
    const details = renderDetails({ title, phase: 'waiting', checks: [], decision: null, waiting: null, merged: null })
    expect(details.slice(2, details.indexOf('**\n\nPhase'))).not.toMatch(live)
  })

  test.each(hostile)('%s in what it waits for and in who can act', (_name, text, live) => {
    const waiting = { for: text, since: now, until: null, who: [text], command: null }
    expect(comment({ waiting, decision: null }).split('Waits for ')[1]).not.toMatch(live)
  })

  test('a long reason is cut, and never inside an escape', () => {
    const text = comment(redTests('&'.repeat(5_000)))
    expect(text.length).toBeLessThan(8_000)
    expect(text).not.toMatch(/&(?!amp;)/)
  })

  test('a backtick in a branch name does not end its code span', () => {
    expect(comment({ base: 'a`b' })).toContain('into `` a`b ``.')
  })

  test('a command is shown as it must be typed, quotes and all', () => {
    const command = "git push <remote> 'a`$(reboot)`'"
    const waiting = { for: 'x', since: now, until: null, who: [], command }
    expect(comment({ waiting })).toContain(`\`\`\`\n${command}\n\`\`\``)
  })
})

describe("the page of a run in Temporal's Web UI", () => {
  test.each([
    ['passed', '✅'],
    ['running', '🔄'],
    ['queued', '🔄'],
    ['failed', '❌'],
  ])('marks a check that is %s with %s', (state, mark) => {
    const checks = [{ name: 'tests', state, reason: '' }]
    const details = renderDetails({
      title: 'T',
      phase: 'checking',
      checks,
      decision: null,
      waiting: null,
      merged: null,
    })
    expect(details).toContain(`- ${mark} tests: ${state}`)
  })

  test('shows the decision and what landed', () => {
    const merged = { sha: sha('e'), tree: sha('d'), method: 'merge', at: now } as const
    const decision = decide(snapshotFacts(), green, now)
    const details = renderDetails({ title: 'T', phase: 'landed', checks: [], decision, waiting: null, merged })
    expect(details).toContain('Decision: **approve**')
    expect(details).toContain(`Landed as \`${sha('e')}\``)
  })
})

describe('the rules of a policy', () => {
  const condition = (rule: string): Rule => ({ rule, outcome: 'pending', reason: 'so', evidence: null })
  const told = (...rules: Rule[]) => comment({ decision: { ...decide(snapshotFacts(), green, now), rules } })

  test('are told as far as a forge takes it', () => {
    const many = Array.from({ length: 200 }, (_, index) => ({ ...condition(`c${index}`), reason: '#'.repeat(300) }))
    const text = told({ ...condition('mine'), rules: many })
    expect(text).toContain('… and 141 more: `switchyard policy explain`')
    expect(text.length).toBeLessThan(64 * 1_024)
  })

  test('bring no markup with their names', () => {
    expect(told(condition('label: <b>@all</b>'))).not.toMatch(/<b>|@all/)
  })
})
