import { describe, expect, it } from 'vitest'
import {
  approvalKey,
  approvalQuestion,
  approvalsWaitedFor,
  missingApprovals,
  withoutRepetition,
  type ApprovalsToAsk,
  type ChangeToApprove,
  type MissingApprovals,
} from '#domain/approval-question'
import { completeQuestion, limits, problemOfQuestion } from '#domain/clarification/question'
import { decide } from '#domain/decide'
import type { SnapshotFacts } from '#domain/pull-request'
import type { ResolvedApprovals, ResolvedCondition } from '#domain/rules/resolved'
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

describe('approvals that would be asked for twice', () => {
  const of = (of: string, needed: number, ...from: string[]): MissingApprovals => ({ of, needed, from })
  const also = (missing: MissingApprovals, ...also: string[]): ApprovalsToAsk => ({ ...missing, also })

  it.each<[string, MissingApprovals[], ApprovalsToAsk[]]>([
    [
      'of the same people',
      [of('review', 1, 'owners'), of('policy-change', 1, 'owners')],
      [also(of('review', 1, 'owners'), 'policy-change')],
    ],
    ['of anybody', [of('review', 1), of('policy-change', 1)], [also(of('review', 1), 'policy-change')]],
    [
      'of anybody and of some',
      [of('review', 1), of('policy-change', 1, 'owners')],
      [also(of('policy-change', 1, 'owners'), 'review')],
    ],
    [
      'of more and of fewer',
      [of('review', 1, 'owners', 'ben'), of('policy-change', 2, 'owners')],
      [also(of('policy-change', 2, 'owners'), 'review')],
    ],
    [
      'of three criteria',
      [of('review', 1), of('policy-change', 1, 'owners'), of('owned', 1, 'owners')],
      [also(of('policy-change', 1, 'owners'), 'review', 'owned')],
    ],
  ])('%s are one question', (_, missing, expected) => {
    expect(withoutRepetition(missing)).toEqual(expected)
  })

  it.each<[string, MissingApprovals[]]>([
    ['of other people', [of('review', 1, 'reviewers'), of('policy-change', 1, 'owners')]],
    ['of more of anybody than of some', [of('review', 2), of('policy-change', 1, 'owners')]],
    ['of one criterion', [of('review', 2)]],
  ])('are not those %s', (_, missing) => {
    expect(withoutRepetition(missing)).toEqual(missing)
  })
})

describe('what a decision waits for', () => {
  const waited = (given: Partial<SnapshotFacts>, checks = green) => {
    const snapshot = facts(given)
    return approvalsWaitedFor(decide(snapshot, checks, now), missingApprovals(snapshot)).map(({ of }) => of)
  }
  const required = (approvals: ResolvedApprovals): ResolvedCondition => ({
    ...{ kind: 'fact', text: 'approvals: 1 from owners', truth: false, final: false, reason: '0 of 1', values: {} },
    ...{ toHold: '1 more approval', toEnd: null, approvals },
  })
  const label = (truth: boolean): ResolvedCondition => ({
    ...{ kind: 'fact', text: 'label: ready', truth, final: false, reason: 'a label', values: {} },
    ...{ toHold: null, toEnd: null },
  })
  const ofRule = { approvedBy: ['bob', 'cay'], approvals: { count: 0, from: null, by: [], unknown: [] } }

  it('are approvals where nothing else is missing', () => {
    expect(waited({})).toEqual(['review'])
    const policyChange = { digest: 'd', problem: null, approvals: owners }
    expect(waited({ policyChange })).toEqual(['review', 'policy-change'])
    expect(waited({ policyChange, approvedBy: ['bob', 'cay'] })).toEqual(['policy-change'])
    expect(waited({ approvedBy: ['bob', 'cay'] })).toEqual([])
  })

  it('are those of a rule that requires nothing else, and applies', () => {
    const rule = (condition: ResolvedCondition | null, require: ResolvedCondition) =>
      waited({ ...ofRule, rules: [{ name: 'owned', if: condition, require }] })
    expect(rule(null, required(owners))).toEqual(['owned'])
    expect(rule(label(true), required(owners))).toEqual(['owned'])
    expect(rule(label(false), required(owners))).toEqual([])
    expect(rule({ kind: 'check', name: 'lint', declared: true }, required(owners))).toEqual([])
    expect(rule(null, { kind: 'any', of: [required(owners), label(false)] })).toEqual([])
  })

  it('are none while a rule waits for something else', () => {
    expect(waited({ rules: [{ name: 'labelled', if: null, require: label(false) }] })).toEqual([])
  })

  it.each<[string, Partial<SnapshotFacts>]>([
    ['it is a draft', { draft: true }],
    ['somebody asks for changes', { changesRequestedBy: ['bob'] }],
    ['it does not merge', { mergeable: 'conflict', mergeResult: null }],
    ['it can not be told whether it merges', { mergeable: 'unknown', mergeResult: null }],
  ])('are none where %s', (_, given) => {
    expect(waited(given)).toEqual([])
  })

  it.each(['tests', 'review', 'secrets'])('are none while %s did not pass', (check) => {
    const infrastructure = { [check]: checkResult(check, { conclusion: 'infrastructure' }) }
    expect(waited({}, { ...green, ...infrastructure })).toEqual([])
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
      approvalKey({ ...subject, of: '2' }, 1),
    ]
    expect(keys[0]).toBe(`approval:${sha('a')}:main`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
