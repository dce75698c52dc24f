import { describe, expect, test } from 'vitest'
import { checkDigest, parsePolicy } from '#config/policy'

const policyWith = (limits: string) => parsePolicy(`checks: { tests: { run: x${limits} } }`, '.switchyard.yaml')

function policyOf(limits: string) {
  const parsed = policyWith(limits)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.policy
}

describe('limits of a check', () => {
  test('have defaults, each on its own', () => {
    expect(policyOf(', limits: { memory: 1GB }').checks.tests?.limits).toEqual({
      memory: 1e9,
      processes: 512,
      fileSize: 2e9,
    })
  })

  test('do not change what a pass proves', () => {
    expect(checkDigest(policyOf(', limits: { memory: 1GB }'), 'tests')).toBe(checkDigest(policyOf(''), 'tests'))
  })

  test.each(['{ memory: 4 }', '{ memory: lots }', '{ processes: 0 }', '{ fileSize: -1GB }', '{ disk: 1GB }'])(
    'are refused as %s',
    (limits) => {
      expect(policyWith(`, limits: ${limits}`)).toMatchObject({ ok: false })
    },
  )
})
