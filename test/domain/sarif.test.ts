import { describe, expect, test } from 'vitest'
import { maxReviewerFindings, parseReviewerAnswer } from '#domain/reviewer-answer'
import { isSarif, parseSarif } from '#domain/sarif'

type Json = Record<string, unknown>

const result = (change: Json = {}): Json => ({
  ruleId: 'no-eval',
  level: 'error',
  message: { text: 'eval is evil' },
  locations: [{ physicalLocation: { artifactLocation: { uri: 'src/a.ts' }, region: { startLine: 3 } } }],
  ...change,
})
const log = (results: unknown, run: Json = {}): Json => ({ version: '2.1.0', runs: [{ tool: {}, results, ...run }] })
const findingsOf = (value: Json) => {
  const parsed = parseSarif(value)
  if (parsed.outcome !== 'valid') throw new Error(parsed.problem)
  return parsed.findings
}
const at = (uri: string) => findingsOf(log([result({ locations: [located(uri)] })]))[0]!.path
const located = (uri: string) => ({ physicalLocation: { artifactLocation: { uri } } })

describe('a SARIF log', () => {
  test('is known by its runs', () => {
    expect(isSarif(log([]))).toBe(true)
    expect(isSarif({ findings: [] })).toBe(false)
    expect(isSarif([])).toBe(false)
  })

  test('answers its results as findings', () => {
    expect(findingsOf(log([result()]))).toEqual([
      { rule: 'no-eval', message: 'eval is evil', path: 'src/a.ts', line: 3, severity: 'error' },
    ])
  })

  test('answers those of all its runs', () => {
    const [run] = log([result()])['runs'] as Json[]
    expect(findingsOf({ version: '2.1.0', runs: [run, { results: null }, run] })).toHaveLength(2)
  })

  const rules = [
    { id: 'other' },
    { id: 'no-eval', defaultConfiguration: { level: 'note' }, messageStrings: { m: { text: 'no {0} but {1}, {9}' } } },
  ]
  const tool = { driver: { rules } }
  test.each([
    ['its own', { level: 'error' }, 'error'],
    ["its rule's, by id", { level: undefined }, 'note'],
    ["its rule's, by index", { level: undefined, ruleId: undefined, ruleIndex: 1 }, 'note'],
    ['warning, where nobody says', { level: undefined, ruleId: 'unknown' }, 'warning'],
  ])('gives a result the level that is %s', (_what, change, severity) => {
    expect(findingsOf(log([result(change)], { tool }))).toMatchObject([{ severity }])
  })

  test('takes a message from its rule, with its arguments', () => {
    const message = { id: 'm', arguments: ['eval', 'care'] }
    expect(findingsOf(log([result({ message })], { tool }))[0]!.message).toBe('no eval but care, {9}')
  })

  test('looks at each rule once, however many results name one', () => {
    let looks = 0
    const count = 500
    const many = Array.from({ length: count }, (_, index) => ({
      get id() {
        looks += 1
        return `rule ${index}`
      },
      defaultConfiguration: { level: 'note' },
    }))
    const results = Array.from({ length: count }, () => result({ ruleId: `rule ${count - 1}`, level: undefined }))
    const findings = findingsOf(log(results, { tool: { driver: { rules: many } } }))
    expect(findings.every(({ severity }) => severity === 'note')).toBe(true)
    expect(looks).toBeLessThan(10 * count)
  })

  test('takes the first rule of an id, in the component that the result names', () => {
    const rule = (level: string) => ({ id: 'no-eval', defaultConfiguration: { level } })
    const tool = { driver: { rules: [rule('note'), rule('error')] }, extensions: [{ rules: [rule('warning')] }] }
    const inExtension = { rule: { toolComponent: { index: 0 } } }
    const results = [result({ level: undefined }), result({ level: undefined, ...inExtension })]
    expect(findingsOf(log(results, { tool })).map(({ severity }) => severity)).toEqual(['note', 'warning'])
  })

  test('does not grow a message by its arguments without bound', () => {
    const messageStrings = { m: { text: '{0}'.repeat(10_000) } }
    const message = { id: 'm', arguments: ['x'.repeat(100_000)] }
    const tool = { driver: { rules: [{ id: 'no-eval', messageStrings }] } }
    expect(findingsOf(log([result({ message })], { tool }))[0]!.message.length).toBeLessThan(5_000)
  })

  test.each([
    ['is no failure', { kind: 'pass' }],
    ['has the level none', { level: 'none' }],
    ['is suppressed', { suppressions: [{ kind: 'inSource' }] }],
  ])('leaves out what %s', (_what, change) => {
    expect(findingsOf(log([result(change)]))).toEqual([])
  })

  test('keeps what is to be suppressed but was not reviewed', () => {
    expect(findingsOf(log([result({ suppressions: [{ status: 'underReview' }] })]))).toHaveLength(1)
  })

  test.each([
    ['src/a%20b.ts', 'src/a b.ts'],
    ['file:///checkout/src/a.ts', 'src/a.ts'],
    ['file:///state/slots/0123456789abcdef01234567/2/tree/src/a.ts', 'src/a.ts'],
    ['%zz', '%zz'],
  ])('names the path of %s in the repository', (uri, path) => {
    expect(at(uri)).toBe(path)
  })

  test('has findings without a place', () => {
    expect(findingsOf(log([result({ locations: [] })]))).toMatchObject([{ path: null, line: null }])
  })

  test.each([
    ['another version', { ...log([]), version: '2.0.0' }, 'SARIF version "2.0.0", not 2.1.0'],
    ['no version', { runs: [] }, 'SARIF version missing, not 2.1.0'],
    ['results that are no list', log({}), 'SARIF run 1 has no list of results'],
    ['a result that is none', log([result(), 'x']), 'SARIF run 1, result 2: expected an object'],
    ['a result without a message', log([result({ message: {} })]), 'SARIF run 1, result 1: message has no text'],
    [
      'a level of its own',
      log([result({ level: 'fatal' })]),
      'SARIF run 1, result 1: level must be error, warning, note or none',
    ],
    [
      'a tool that gave up',
      log([result({ level: 'note' })], { invocations: [{ executionSuccessful: false }] }),
      'SARIF run 1: its tool did not succeed',
    ],
  ])('is refused with %s', (_what, value, problem) => {
    expect(parseSarif(value)).toEqual({ outcome: 'invalid', problem })
  })
})

describe('a reviewer that answers SARIF', () => {
  test('is understood', () => {
    const answer = parseReviewerAnswer('x', JSON.stringify(log([result({ level: 'note' })])))
    expect(answer).toMatchObject({ outcome: 'valid', findings: [{ rule: 'no-eval', severity: 'note' }] })
  })

  test('is told what is wrong', () => {
    expect(parseReviewerAnswer('x', JSON.stringify(log(7)))).toEqual({
      ...{ outcome: 'failed', reason: 'reviewer x answered wrong SARIF (SARIF run 1 has no list of results)' },
    })
  })

  test('hides no error behind a thousand notes', () => {
    const notes = Array.from({ length: maxReviewerFindings + 5 }, () => result({ level: 'note' }))
    const answer = parseReviewerAnswer('x', JSON.stringify(log([...notes, result()])))
    const findings = answer.outcome === 'valid' ? answer.findings : []
    expect(findings).toHaveLength(maxReviewerFindings)
    expect(findings[0]).toMatchObject({ severity: 'error' })
  })
})
