import { expect, it } from 'vitest'
import type { Rule } from '#domain/decision'
import { evidenceIds, firstFailing } from '#domain/rules'

const rule = (name: string, outcome: Rule['outcome'], rules?: Rule[], evidence: string | null = null): Rule => ({
  ...{ rule: name, outcome, reason: '', evidence },
  ...(rules && { rules }),
})

it('names the first criterion that failed, down to the innermost', () => {
  const review = rule('review', 'fail', [rule('criteria', 'pass'), rule('no-changes-requested', 'fail')])
  expect(firstFailing([rule('tests', 'pending'), review, rule('no-secrets', 'fail')])).toBe(
    'review/no-changes-requested',
  )
  expect(firstFailing([rule('tests', 'fail')])).toBe('tests')
})

it('names none where none failed', () => {
  expect(firstFailing([rule('tests', 'pass'), rule('review', 'pending')])).toBeNull()
})

it('names a failed criterion whose parts did not fail by itself', () => {
  expect(firstFailing([rule('any', 'fail', [rule('a', 'pass')])])).toBe('any')
})

it('collects the evidence of all rules once', () => {
  const inner = [rule('criteria', 'pass', [], 'b'), rule('approvals', 'pass')]
  expect(evidenceIds([rule('tests', 'pass', undefined, 'a'), rule('review', 'pass', inner, 'b')])).toEqual(['a', 'b'])
  expect(evidenceIds([rule('tests', 'pending', undefined, '')])).toEqual([])
})
