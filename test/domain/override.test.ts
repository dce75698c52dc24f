import { describe, expect, it } from 'vitest'
import { completeQuestion, problemOfQuestion } from '#domain/clarification/question'
import { decide } from '#domain/decide'
import { withHold } from '#domain/hold'
import {
  overrideKey,
  overrideOf,
  overrideQuestion,
  overridesWanted,
  overrideTerms,
  withOverrides,
  type Override,
  type OverrideFacts,
} from '#domain/override'
import type { SnapshotFacts } from '#domain/pull-request'
import type { ResolvedCondition } from '#domain/rules/resolved'
import { checkResult, green, now, policyFacts, sha, snapshotFacts } from './facts.ts'

const overrides: OverrideFacts = {
  ...{ rules: ['small', 'review/criteria', 'review/approvals'], by: ['owners'], count: 1, ladder: {} },
}
const large: ResolvedCondition = {
  ...{ kind: 'fact', text: 'size', truth: false, final: true, reason: '999 lines changed', values: {} },
  ...{ toHold: null, toEnd: null },
}
const redReview = { ...green, review: checkResult('review', { conclusion: 'failed', reason: '1 finding' }) }

function facts(given: Partial<SnapshotFacts> = {}): SnapshotFacts {
  return snapshotFacts({
    policy: policyFacts({ overrides }),
    rules: [{ name: 'small', if: null, require: large }],
    ...given,
  })
}

/** Of what alone keeps `snapshot` from landing. */
function given(change: Partial<Override> = {}, snapshot = facts(), checks = green): Override {
  const terms = overrideTerms(decide(snapshot, checks, now), snapshot)!
  return { ...terms, head: sha('a'), base: 'main', by: ['otto'], reason: 'the fair', at: now, ...change }
}

describe('an override', () => {
  const decided = (snapshot: SnapshotFacts, given: Override[], checks = green) =>
    withOverrides(decide(snapshot, checks, now), snapshot, given)

  it('lets the criterion pass that it names, and says who and why', () => {
    const decision = decided(facts(), [given()])
    expect(decision.outcome).toBe('approve')
    expect(decision.rules.at(-1)).toMatchObject({
      ...{ rule: 'small', outcome: 'pass', reason: 'overridden by otto: the fair (999 lines changed)' },
      overridden: { by: ['otto'], reason: 'the fair', at: now },
    })
  })

  it('of a part of the review leaves the other parts', () => {
    const snapshot = facts({ rules: [] })
    const criteria = given({}, snapshot, redReview)
    expect(decided(snapshot, [criteria], redReview).outcome).toBe('approve')
    const blocked = { ...snapshot, changesRequestedBy: ['bob'] }
    expect(decided(blocked, [criteria], redReview)).toMatchObject({ outcome: 'reject' })
    const waits = { ...snapshot, policy: policyFacts({ overrides, approvals: 1 }) }
    expect(decided(waits, [criteria], redReview)).toMatchObject({ outcome: 'wait' })
  })

  it.each<[string, Override]>([
    ['another head', given({ head: sha('e') })],
    ['another base', given({ base: 'next' })],
    ['another criterion', given({ rules: ['review/criteria'] })],
    ['what the policy does not let anybody override', given({ rules: ['tests'] })],
  ])('of %s changes nothing', (_, override) => {
    const snapshot = facts()
    expect(decided(snapshot, [override])).toEqual(decide(snapshot, green, now))
  })

  it.each<[string, Partial<OverrideFacts>]>([
    ['others may give it', { by: ['owners', 'rita'] }],
    ['more of them must', { count: 2 }],
  ])('counts no more once %s', (_, change) => {
    const policy = policyFacts({ overrides: { ...overrides, ...change } })
    expect(decided(facts({ policy }), [given()]).outcome).toBe('reject')
    expect(decided(facts({ policy }), [given({}, facts({ policy }))]).outcome).toBe('approve')
  })

  it('counts no more where the criterion is not met for another reason', () => {
    const larger = facts({ rules: [{ name: 'small', if: null, require: { ...large, reason: '1999 lines changed' } }] })
    expect(decided(larger, [given()]).outcome).toBe('reject')
    const policy = policyFacts({ overrides: { ...overrides, rules: ['review/no-changes-requested'] } })
    const blocked = facts({ policy, rules: [], changesRequestedBy: ['bob'] })
    const one = given({}, blocked)
    expect(decided(blocked, [one]).outcome).toBe('approve')
    expect(decided({ ...blocked, changesRequestedBy: ['bob', 'cay'] }, [one]).outcome).toBe('reject')
  })

  it('is another question with another reason, and with others who may', () => {
    const terms = given()
    const others = [
      { ...terms, reasons: { small: 'other' } },
      { ...terms, allowed: 'others' },
      { ...terms, rules: ['small', 'tidy'] },
    ]
    expect(new Set([terms, ...others].map(overrideOf)).size).toBe(4)
  })

  it('counts no more once the policy has taken it back', () => {
    expect(decided(facts({ policy: policyFacts() }), [given()]).outcome).toBe('reject')
  })

  it('never lets red tests, a secret, a conflict or a draft land', () => {
    const all = given({ rules: ['small', 'tests', 'no-secrets', 'no-conflicts', 'not-draft', 'policy-change'] })
    for (const check of ['tests', 'secrets']) {
      const checks = { ...green, [check]: checkResult(check, { conclusion: 'failed' }) }
      expect(decided(facts(), [all], checks).outcome).toBe('reject')
    }
    expect(decided(facts({ mergeable: 'conflict', mergeResult: null }), [all]).outcome).toBe('reject')
    expect(decided(facts({ draft: true }), [all]).outcome).toBe('wait')
  })
})

describe('people are asked to override', () => {
  const wanted = (snapshot: SnapshotFacts, checks = green) => overridesWanted(decide(snapshot, checks, now), snapshot)

  it('all that keeps a pull request from landing', () => {
    expect(wanted(facts())).toEqual(['small'])
    expect(wanted(facts(), redReview)).toEqual(['review/criteria', 'small'])
    expect(wanted(facts({ rules: [] }))).toEqual([])
  })

  it('nothing where that would not do', () => {
    expect(wanted(facts({ draft: true }))).toEqual([])
    expect(wanted(facts({ changesRequestedBy: ['bob'] }))).toEqual([])
    expect(wanted(facts(), { ...green, tests: checkResult('tests', { conclusion: 'failed' }) })).toEqual([])
    expect(wanted(facts({ policy: policyFacts() }))).toEqual([])
    expect(wanted(facts({ policy: policyFacts({ overrides, mode: 'dry-run' }) }))).toEqual([])
    const held = withHold(decide(facts(), green, now), { by: 'bob', since: now, reason: '' })
    expect(overridesWanted(held, facts())).toEqual([])
  })

  it('with what was decided, for a reason, and never whoever wrote some of it', () => {
    const snapshot = facts()
    const change = { lines: 999, paths: ['a.js'], authors: ['ann', 'zoe@example.org'] }
    const question = overrideQuestion(snapshot, decide(snapshot, green, now), ['small'], green, change)
    expect(question).toMatchObject({
      ...{
        kind: 'escalation',
        onlyWho: true,
        title: 'Let #7 Add a basket land in spite of small?',
        who: ['owners'],
        not: ['ann', 'zoe@example.org'],
      },
      ...{ reason: true, vetoes: ['leave'] },
      context: expect.stringContaining('not met, small: 999 lines changed') as string,
    })
    expect(problemOfQuestion(completeQuestion(question))).toBeNull()
  })

  it('once for a head, a base and what is not met', () => {
    const subject = { of: 'override small', head: sha('a'), base: 'main' }
    const others = [
      { ...subject, head: sha('b') },
      { ...subject, base: 'next' },
      { ...subject, of: 'override big' },
    ]
    const keys = [subject, ...others].map((each) => overrideKey(each, 1))
    expect(keys[0]).toBe(`override:${sha('a')}:main:small`)
    expect(new Set([...keys, overrideKey(subject, 2)]).size).toBe(5)
  })
})
