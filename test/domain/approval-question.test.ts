import { describe, expect, it } from 'vitest'
import {
  approvalKey,
  approvalQuestion,
  missingApprovals,
  waitsOnlyForApprovals,
  type ChangeToApprove,
} from '#domain/approval-question'
import { completeQuestion, limits, problemOfQuestion } from '#domain/clarification/question'
import { decide } from '#domain/decide'
import type { SnapshotFacts } from '#domain/pull-request'
import { checkResult, green, now, policyFacts, sha, snapshotFacts } from './facts.ts'

const asking = policyFacts({ approvals: 2, askForApprovals: { expiresAfter: 1_000 } })
const change: ChangeToApprove = { lines: 3, paths: ['basket.ts'], authors: ['zoe@example.org'] }
const owners = { count: 1, from: ['owners'], by: [], unknown: [] }

const facts = (given: Partial<SnapshotFacts> = {}) => snapshotFacts({ policy: asking, ...given })

describe('approvals that people are asked for', () => {
  it.each<[string, SnapshotFacts, { of: string; needed: number; from: string[] }[]]>([
    ['all of them', facts(), [{ of: 'review', needed: 2, from: [] }]],
    ['less those that were given', facts({ approvedBy: ['bob'] }), [{ of: 'review', needed: 1, from: [] }]],
    ['none where enough were given', facts({ approvedBy: ['bob', 'cay'] }), []],
    ['none where the policy asks nobody', facts({ policy: policyFacts({ approvals: 2 }) }), []],
    ['none in a dry run', facts({ policy: { ...asking, mode: 'dry-run' } }), []],
    ['none of a closed pull request', facts({ state: 'closed' }), []],
    [
      'by groups, and for a change of the policy',
      facts({
        approvals: { count: 1, from: ['reviewers'], by: [], unknown: [] },
        policyChange: { digest: 'd', problem: null, approvals: owners },
      }),
      [
        { of: 'review', needed: 1, from: ['reviewers'] },
        { of: 'policy-change', needed: 1, from: ['owners'] },
      ],
    ],
    [
      'none for a policy that is none',
      facts({ approvedBy: ['bob', 'cay'], policyChange: { digest: null, problem: 'p.yaml:1:1', approvals: owners } }),
      [],
    ],
  ])('are %s', (_, snapshot, expected) => {
    expect(missingApprovals(snapshot)).toEqual(expected)
  })
})

describe('a decision waits only for approvals', () => {
  const waits = (given: Partial<SnapshotFacts>, checks = green) =>
    waitsOnlyForApprovals(decide(facts(given), checks, now))

  it('where nothing else is missing', () => {
    expect(waits({})).toBe(true)
    expect(waits({ policyChange: { digest: 'd', problem: null, approvals: owners } })).toBe(true)
    expect(waits({ approvedBy: ['bob', 'cay'] })).toBe(false)
  })

  it.each<[string, Partial<SnapshotFacts>]>([
    ['it is a draft', { draft: true }],
    ['somebody asks for changes', { changesRequestedBy: ['bob'] }],
    ['it does not merge', { mergeable: 'conflict', mergeResult: null }],
    ['it can not be told whether it merges', { mergeable: 'unknown', mergeResult: null }],
  ])('not where %s', (_, given) => {
    expect(waits(given)).toBe(false)
  })

  it.each(['tests', 'review', 'secrets'])('not while %s did not pass', (check) => {
    const infrastructure = { [check]: checkResult(check, { conclusion: 'infrastructure' }) }
    expect(waits({}, { ...green, ...infrastructure })).toBe(false)
  })
})

describe('the question about approvals', () => {
  const ask = (given: Partial<SnapshotFacts> = {}, described = change) => {
    const snapshot = facts(given)
    return approvalQuestion(snapshot, missingApprovals(snapshot)[0]!, green, described)
  }

  it('says what is to be approved, how to look, and who may not', () => {
    const question = ask({ approvedBy: ['bob'] })
    expect(question).toMatchObject({
      ...{ kind: 'approval', title: 'Approve #7 Add a basket?', needed: 1, who: [] },
      not: ['ann', 'bob', 'zoe@example.org'],
      ladder: { expiresAfter: 1_000 },
      ...{ repo: 'shop', number: 7 },
    })
    expect(question.context).toContain('1 commit, 1 file, 3 lines changed')
    expect(question.context).toContain('- tests passed: ')
    expect(question.context).toContain('switchyard pr diff 7 --repo shop')
  })

  it('can be asked whatever the pull request is called', () => {
    const hostile = `${'<img src=x onerror=alert(1)>'.repeat(10)}\u001b[2J\n@everyone`
    const many = Array.from({ length: 80 }, (_, index) => `${index}@example.org`)
    const question = ask({ title: hostile, pathCount: 999 }, { ...change, paths: [hostile], authors: many })
    expect(problemOfQuestion(completeQuestion(question))).toBeNull()
    expect(question.not).toHaveLength(limits.who)
    for (const bad of ['<img', '\u001b', '@everyone']) expect(question.context).not.toContain(bad)
    expect(question.context).toContain('… and 998 more')
    expect(Buffer.byteLength(question.context!)).toBeLessThan(limits.text)
  })

  it('is another one for another head, base, purpose or time', () => {
    const subject = { of: 'review', head: sha('a'), base: 'main' } as const
    const keys = [
      approvalKey(subject, 1),
      approvalKey(subject, 2),
      approvalKey({ ...subject, head: sha('b') }, 1),
      approvalKey({ ...subject, base: 'next' }, 1),
      approvalKey({ ...subject, of: 'policy-change' }, 1),
    ]
    expect(keys[0]).toBe(`approval:${sha('a')}:main`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
