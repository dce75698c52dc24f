import { describe, expect, test } from 'vitest'
import { checkKind, checkSubject, keptResults, runnableChecks, subjectKind, treeChecks } from '#domain/check-subjects'
import type { CheckConclusion } from '#domain/evidence'
import type { SnapshotFacts } from '#domain/pull-request'
import { checkResult, green, policyFacts, plannedCheck, sha, snapshotFacts } from './facts.ts'

describe('the subject of a check', () => {
  test('of tests is the tree of the merge result', () => {
    expect(checkSubject(plannedCheck('tests'), snapshotFacts())).toEqual({ kind: 'tree', tree: sha('d') })
  })

  test.each(['secrets', 'review'] as const)('of %s is the range of the PR from its merge base', (name) => {
    const snapshot = snapshotFacts({ mergeBase: sha('5') })
    expect(checkSubject(plannedCheck(name), snapshot)).toEqual({ kind: 'range', base: sha('5'), head: sha('a') })
  })

  test('tests have none without a merge result', () => {
    expect(() => checkSubject(plannedCheck('tests'), snapshotFacts({ mergeResult: null }))).toThrow('merge result')
  })
})

const lint = plannedCheck('lint', { kind: 'command', subject: 'tree' })
const commits = plannedCheck('commits', { kind: 'command', subject: 'range' })

describe("a policy's own check", () => {
  test('is of the tree or of the range, as it is declared', () => {
    expect(checkSubject(lint, snapshotFacts())).toEqual({ kind: 'tree', tree: sha('d') })
    expect(checkSubject(commits, snapshotFacts())).toEqual({ kind: 'range', base: sha('b'), head: sha('a') })
    expect(treeChecks([plannedCheck('secrets'), commits, lint]).map(({ name }) => name)).toEqual(['lint'])
  })

  test('runs only where there is a merge result to check out, whatever it is about', () => {
    const policy = policyFacts({ checks: [lint, commits, plannedCheck('review')] })
    expect(runnableChecks(snapshotFacts({ policy })).map(({ name }) => name)).toEqual(['lint', 'commits', 'review'])
    expect(runnableChecks(snapshotFacts({ policy, mergeResult: null })).map(({ name }) => name)).toEqual(['review'])
  })

  test.each([
    ['tests', 'command', 'tree'],
    ['secrets', 'secrets', 'range'],
    ['review', 'review', 'range'],
  ])('is told by its name where 0.1.0 planned it: %s is %s of a %s', (name, kind, subject) => {
    expect([checkKind(plannedCheck(name)), subjectKind(plannedCheck(name))]).toEqual([kind, subject])
  })
})

describe('the checks that can run', () => {
  test('are all that the policy plans', () => {
    expect(runnableChecks(snapshotFacts()).map((check) => check.name)).toEqual(['tests', 'secrets', 'review'])
  })

  test('are all but the tests while there is a conflict', () => {
    const snapshot = snapshotFacts({ mergeable: 'conflict', mergeResult: null })
    expect(runnableChecks(snapshot).map((check) => check.name)).toEqual(['secrets', 'review'])
  })
})

describe('results of an earlier look', () => {
  const dropped: [string, Partial<SnapshotFacts>, string[]][] = [
    ['the same facts keep all but secrets, which read title and body, too', {}, ['tests', 'review']],
    ['another title keeps the same', { title: 'Other' }, ['tests', 'review']],
    ['another tree drops the tests', { mergeResult: { commit: sha('1'), tree: sha('2') } }, ['review']],
    ['another head drops what is about the range', { head: { ref: 'basket', sha: sha('3') } }, ['tests']],
    ['another merge base drops what is about the range', { mergeBase: sha('4') }, ['tests']],
    ['a conflict drops the tests', { mergeable: 'conflict', mergeResult: null }, ['review']],
    [
      'another command drops its check',
      { policy: policyFacts({ checks: [plannedCheck('tests', { digest: 'other' }), plannedCheck('review')] }) },
      ['review'],
    ],
    ['a pass beyond its maximum age is dropped', { takenAt: '2026-03-09T12:00:00.000Z' }, []],
  ]
  test.each(dropped)('%s', (_name, change, expected) => {
    expect(Object.keys(keptResults(green, snapshotFacts(change), false))).toEqual(expected)
  })

  const conclusions: [CheckConclusion, boolean, boolean][] = [
    ['passed', false, true],
    ['passed', true, true],
    ['failed', false, true],
    ['failed', true, false],
    ['timed-out', false, true],
    ['timed-out', true, false],
    ['infrastructure', false, false],
    ['interrupted', false, false],
  ]
  test.each(conclusions)('%s, asked to run again %s: kept %s', (conclusion, rerun, expected) => {
    const results = { tests: checkResult('tests', { conclusion }) }
    expect('tests' in keptResults(results, snapshotFacts(), rerun)).toBe(expected)
  })
})
