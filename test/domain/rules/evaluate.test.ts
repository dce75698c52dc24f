import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CheckResults, Rule } from '#domain/decision'
import { evaluateRules, nextChange } from '#domain/rules/evaluate'
import { firstNeed } from '#domain/rules/needs'
import type { ResolvedCondition, ResolvedFact } from '#domain/rules/resolved'
import { checkResult } from '../facts.ts'

const at = (hour: number) => `2026-03-02T${String(hour).padStart(2, '0')}:00:00.000Z`

function fact(text: string, change: Partial<ResolvedFact> = {}): ResolvedFact {
  return {
    ...{ kind: 'fact', text, truth: true, final: true, reason: `${text} is so`, values: {} },
    ...{ toHold: `make ${text}`, toEnd: `end ${text}` },
    ...change,
  }
}

const yes = fact('yes')
const no = fact('no', { truth: false, reason: 'no is not so' })
const notYet = fact('not yet', { truth: false, final: false, reason: 'not yet is not so' })
const forNow = fact('for now', { final: false })
const unknown = fact('unknown', { truth: null, reason: 'nobody knows' })
const lint: ResolvedCondition = { kind: 'check', name: 'lint', declared: true }
const hours: ResolvedCondition = {
  ...{ kind: 'time', text: 'time: hours', knownUntil: at(20) },
  open: [
    { from: at(9), until: at(11) },
    { from: at(13), until: at(15) },
  ],
}

function rule(require: ResolvedCondition, condition: ResolvedCondition | null = null, checks: CheckResults = {}): Rule {
  return evaluateRules([{ name: 'mine', if: condition, require }], checks, at(12))[0]!
}

const not = (of: ResolvedCondition): ResolvedCondition => ({ kind: 'not', of })
const all = (...of: ResolvedCondition[]): ResolvedCondition => ({ kind: 'all', of })
const any = (...of: ResolvedCondition[]): ResolvedCondition => ({ kind: 'any', of })

describe('a rule', () => {
  test.each<[string, ResolvedCondition, Rule['outcome'], string]>([
    ['holds', yes, 'pass', 'yes is so'],
    ['can only hold with another head', no, 'fail', 'no is not so'],
    ['can still come to hold', notYet, 'pending', 'not yet is not so'],
    ['is not known', unknown, 'pending', 'nobody knows'],
    ['turns around what holds for now', not(forNow), 'pending', 'for now is so'],
    ['turns around what holds for good', not(yes), 'fail', 'yes is so'],
    ['turns around what does not hold', not(no), 'pass', 'no is not so'],
    ['turns around the unknown, which stays unknown', not(unknown), 'pending', 'nobody knows'],
    ['asks for a check that has not run', lint, 'pending', 'lint has not run'],
    ['turns around a check that has not run', not(lint), 'pending', 'lint has not run'],
    ['fails for good in one part', all(notYet, no), 'fail', 'not yet is not so; no is not so'],
    ['says what all of it still lacks', all(yes, notYet, unknown), 'pending', 'not yet is not so'],
    ['is met by one part', any(no, unknown, yes), 'pass', 'yes is so'],
    ['has nothing left that could meet it', any(no, no), 'fail', 'no is not so; no is not so'],
    ['waits while a part may still come', any(no, notYet), 'pending', 'no is not so; not yet is not so'],
  ])('that %s', (_, condition, outcome, reason) => {
    expect(rule(condition)).toMatchObject({ rule: 'mine', outcome, reason })
  })

  test.each<[string, ResolvedCondition, Rule['outcome'], string]>([
    ['applies', yes, 'fail', 'no is not so'],
    ['does not apply', no, 'pass', 'does not apply: no is not so'],
    ['may still apply', unknown, 'pending', 'may apply: nobody knows; no is not so'],
  ])('whose condition says that it %s', (_, condition, outcome, reason) => {
    expect(rule(no, condition)).toMatchObject({ outcome, reason })
  })

  test('that is met needs not be known to apply', () => {
    expect(rule(yes, unknown)).toMatchObject({ outcome: 'pass' })
  })

  test('shows each condition with what it needs, in the direction in which it is asked', () => {
    const tree = rule(all(notYet, not(forNow), any(unknown)), yes)
    expect(tree.rules).toMatchObject([
      { rule: 'yes', outcome: 'pass' },
      {
        rule: 'all',
        outcome: 'pending',
        rules: [
          { rule: 'not yet', outcome: 'pending', needs: 'make not yet' },
          { rule: 'not', outcome: 'pending', rules: [{ rule: 'for now', outcome: 'pass', needs: 'end for now' }] },
          { rule: 'any', outcome: 'pending', rules: [{ rule: 'unknown', outcome: 'pending' }] },
        ],
      },
    ])
  })

  test('needs nothing more inside of what is as it is to be', () => {
    const tree = rule(all(any(notYet, yes), notYet))
    expect(tree.rules![0]!.rules).toMatchObject([
      {
        rule: 'any',
        rules: [
          { rule: 'not yet', outcome: 'skipped' },
          { rule: 'yes', outcome: 'pass' },
        ],
      },
      { rule: 'not yet', needs: 'make not yet' },
    ])
    expect(firstNeed(tree)).toBe(tree.rules![0]!.rules![1])
    expect(tree.rules![0]!.rules![0]!.rules![0]).not.toHaveProperty('needs')
    expect(firstNeed(rule(yes))).toBeNull()
  })

  test('shows only the branch that counts', () => {
    const branches: ResolvedCondition = { kind: 'if', if: no, then: unknown, else: yes }
    expect(rule(branches)).toMatchObject({
      outcome: 'pass',
      rules: [{ rule: 'if', rules: [{ rule: 'no', outcome: 'skipped' }, { rule: 'yes' }] }],
    })
    expect(rule({ ...branches, else: null })).toMatchObject({ outcome: 'pass', reason: 'does not apply: no is not so' })
    expect(rule({ ...branches, if: unknown }).rules![0]!.rules!.map(({ rule }) => rule)).toEqual([
      'unknown',
      'unknown',
      'yes',
    ])
  })
})

describe('a check in a rule', () => {
  test.each<[string, Partial<ReturnType<typeof checkResult>>, Rule['outcome']]>([
    ['passed', { conclusion: 'passed' }, 'pass'],
    ['failed', { conclusion: 'failed' }, 'fail'],
    ['ran too long', { conclusion: 'timed-out' }, 'fail'],
    ['broke without its own fault', { conclusion: 'infrastructure' }, 'pending'],
    ['was stopped', { conclusion: 'interrupted' }, 'pending'],
  ])('that %s', (_, result, outcome) => {
    const checks = { lint: checkResult('lint', { ...result, reason: 'so' }) }
    expect(rule(lint, null, checks)).toMatchObject({
      outcome,
      reason: 'lint: so',
      rules: [{ rule: 'check: lint', evidence: 'evidence of lint' }],
    })
  })

  test('that the policy does not have is waited for, and said so', () => {
    const reason = 'the policy has no check lint'
    const needs = 'declare the check lint in the policy'
    expect(rule({ ...lint, declared: false })).toMatchObject({ outcome: 'pending', reason, rules: [{ needs }] })
  })
})

describe('time in a rule', () => {
  const outcomeAt = (hour: number, condition: ResolvedCondition = hours) =>
    evaluateRules([{ name: 'mine', if: null, require: condition }], {}, at(hour))[0]!
  const changeAt = (hour: number, condition: ResolvedCondition = hours) =>
    nextChange([{ name: 'mine', if: null, require: condition }], {}, at(hour))

  test.each([
    [8, 'pending', 'closed until 2026-03-02T09:00:00.000Z', 9],
    [9, 'pass', 'open until 2026-03-02T11:00:00.000Z', 11],
    [11, 'pending', 'closed until 2026-03-02T13:00:00.000Z', 13],
    [15, 'pending', 'closed until 2026-03-02T20:00:00.000Z', 20],
    [20, 'pending', 'the time is to be looked at again', null],
  ] as const)('at %s h is %s', (hour, outcome, reason, change) => {
    expect(outcomeAt(hour)).toMatchObject({ outcome, reason })
    expect(changeAt(hour)).toBe(change === null ? null : at(change))
  })

  test('that has passed for good fails, and that has come stays', () => {
    const until: ResolvedCondition = {
      ...{ kind: 'time', text: 'time: before', knownUntil: null },
      open: [{ from: at(0), until: at(9) }],
    }
    expect(outcomeAt(10, until)).toMatchObject({ outcome: 'fail', reason: 'the time has passed' })
    expect(changeAt(8, until)).toBe(at(9))
    const from: ResolvedCondition = { ...until, open: [{ from: at(9), until: null }] }
    expect(outcomeAt(10, from)).toMatchObject({ outcome: 'pass', reason: 'the time has come' })
    expect(outcomeAt(10, { kind: 'not', of: from })).toMatchObject({ outcome: 'fail' })
    expect(changeAt(10, from)).toBeNull()
  })

  test('of more windows than are looked into at once is looked at again at the last of them, until it changes', () => {
    const minute = (index: number) => new Date(Date.parse(at(0)) + index * 60_000).toISOString()
    const windows = Array.from({ length: 100 }, (_, index) => ({
      from: minute(2 * index + 1),
      until: minute(2 * index + 2),
    }))
    const idle: ResolvedCondition = { kind: 'time', text: 'time', knownUntil: null, open: windows }
    const once = { ...idle, open: [{ from: minute(1000), until: null }] }
    const next = (now: string) =>
      nextChange([{ name: 'mine', if: null, require: any(all(idle, notYet), once) }], {}, now)
    const looks = [at(0)]
    for (let now = next(at(0)); now !== null && looks.length < 100; now = next(now)) looks.push(now)
    expect(looks.at(-1)).toBe(minute(1000))
    expect(looks.length).toBeLessThan(10)
  })

  test('is not waited for where it changes no outcome', () => {
    const once = { ...hours, open: [{ from: at(9), until: null }], knownUntil: null }
    expect(changeAt(8, all(once, notYet))).toBeNull()
    expect(changeAt(8, any(once, yes))).toBeNull()
  })
})

/** Conditions over three checks, and facts that may be turned around. */
const checkNames = ['a', 'b', 'c']
const { tree } = fc.letrec<{ tree: ResolvedCondition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...checkNames).map((name): ResolvedCondition => ({ kind: 'check', name, declared: true })),
    fc.constantFrom<ResolvedCondition>(yes, no, notYet, forNow),
    fc
      .record({
        kind: fc.constantFrom('all' as const, 'any' as const),
        of: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      })
      .map((branch): ResolvedCondition => branch),
    tie('tree').map(not),
    fc
      .record({ if: tie('tree'), then: tie('tree'), else: fc.option(tie('tree')) })
      .map((branch): ResolvedCondition => ({ kind: 'if', ...branch })),
  ),
}))
const results = fc
  .subarray(checkNames)
  .chain((names) =>
    fc
      .array(fc.boolean(), { minLength: names.length, maxLength: names.length })
      .map((passed) =>
        Object.fromEntries(
          names.map((name, index) => [name, checkResult(name, { conclusion: passed[index] ? 'passed' : 'failed' })]),
        ),
      ),
  )

/** The same with every fact that can change turned around, or not. */
function turned(condition: ResolvedCondition, turn: boolean): ResolvedCondition {
  if (condition.kind === 'fact') return condition.final || !turn ? condition : { ...condition, truth: !condition.truth }
  if (condition.kind === 'not') return { ...condition, of: turned(condition.of, turn) }
  if (condition.kind === 'all' || condition.kind === 'any')
    return { ...condition, of: condition.of.map((each) => turned(each, turn)) }
  if (condition.kind !== 'if') return condition
  const [asked, then] = [turned(condition.if, turn), turned(condition.then, turn)]
  return { ...condition, if: asked, then, else: condition.else && turned(condition.else, turn) }
}

describe('whatever a rule is made of', () => {
  test('a pass and a refusal stand however the missing checks end; a refusal also whatever else can change', () => {
    fc.assert(
      fc.property(
        tree,
        fc.option(tree),
        results,
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        fc.boolean(),
        (require, condition, known, rest, turn) => {
          const { outcome } = rule(require, condition, known)
          const missing = checkNames.map((name, index) => [
            name,
            checkResult(name, { conclusion: rest[index] ? 'passed' : 'failed' }),
          ])
          const complete = { ...Object.fromEntries(missing), ...known } as CheckResults
          if (outcome === 'pass') expect(rule(require, condition, complete).outcome).toBe('pass')
          if (outcome === 'fail')
            expect(rule(turned(require, turn), condition && turned(condition, turn), complete).outcome).not.toBe('pass')
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
