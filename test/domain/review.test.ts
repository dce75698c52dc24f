import { describe, expect, test } from 'vitest'
import { conflictMarker, conflictMarkers, forbiddenPaths, oversizedFiles } from '#domain/review'
import { parseReviewerAnswer } from '#domain/reviewer-answer'

const { start, separator, end } = conflictMarker

function added(path: string, ...texts: string[]) {
  return texts.map((text, index) => ({ path, line: index + 1, text }))
}

describe('conflict markers', () => {
  test('of one conflict are one finding at its start', () => {
    const findings = conflictMarkers(added('a.js', 'x', `${start}HEAD`, 'one', separator, 'two', `${end}topic`))
    expect(findings).toEqual([
      { rule: 'conflict-markers', message: 'conflict markers in lines 2 to 6', path: 'a.js', line: 2, commit: null },
    ])
  })

  test('of two conflicts are two findings', () => {
    const conflict = [`${start}HEAD`, separator, `${end}topic`]
    expect(conflictMarkers(added('a.js', ...conflict, ...conflict)).map(({ line }) => line)).toEqual([1, 4])
  })

  test('with Windows line ends are found', () => {
    expect(conflictMarkers(added('a.js', `${start}HEAD\r`, `${separator}\r`, `${end}topic\r`))).toHaveLength(1)
  })

  test.each([
    ['a heading that is underlined', ['Title', separator]],
    ['only the start', [`${start}HEAD`, 'one', separator]],
    ['only the end', [separator, `${end}topic`]],
    ['the ends without what stands between', [`${start}HEAD`, `${end}topic`]],
    ['indented markers', [`  ${start}HEAD`, `  ${separator}`, `  ${end}topic`]],
  ])('are not %s', (_name, texts) => {
    expect(conflictMarkers(added('a.md', ...texts))).toEqual([])
  })

  test('in different files do not belong together', () => {
    expect(conflictMarkers([...added('a', `${start}x`, separator), ...added('b', `${end}x`)])).toEqual([])
  })
})

test('a file over the limit is found, one at the limit is not', () => {
  const findings = oversizedFiles(
    [
      { path: 'big.bin', size: 5 * 1024 * 1024 + 1 },
      { path: 'fits.bin', size: 5 * 1024 * 1024 },
    ],
    5 * 1024 * 1024,
  )
  expect(findings.map(({ path, message }) => [path, message])).toEqual([
    ['big.bin', '5.01 MB, more than the 5 MB that the policy allows'],
  ])
})

test('a forbidden path is found with the pattern that forbids it', () => {
  const findings = forbiddenPaths(['src/a.js', 'infra/prod.tf'], (path) =>
    path.startsWith('infra/') ? 'infra/' : null,
  )
  expect(findings).toMatchObject([{ path: 'infra/prod.tf', message: 'the policy forbids changes of infra/' }])
})

describe("a reviewer's answer", () => {
  const whole = { rule: 'r', message: 'm', path: 'a.js', line: 3, severity: 'warning' }

  test.each([
    ['an object with findings', { findings: [whole] }],
    ['an array of findings', [whole]],
  ])('may be %s', (_name, answer) => {
    expect(parseReviewerAnswer('x', JSON.stringify(answer))).toEqual({ outcome: 'valid', findings: [whole] })
  })

  test('without path, line and severity is an error about the whole change', () => {
    expect(parseReviewerAnswer('x', '[{"rule":"r","message":"m"}]')).toEqual({
      outcome: 'valid',
      findings: [{ rule: 'r', message: 'm', path: null, line: null, severity: 'error' }],
    })
  })

  test.each([
    ['nothing', '', 1],
    ['a text', 'all fine', 1],
    ['a broken third line', '{\n"findings": [\n oops\n]}\n', 3],
    ['a missing comma', '[\n1\n2\n]', 3],
    ['a text after the JSON', '[]\n\nbye', 3],
    ['a cut answer', '[\n{"rule": "r",\n', 3],
  ])('that is %s names the line', (_name, text, line) => {
    const reason = `reviewer lint answered no valid JSON (line ${line})`
    expect(parseReviewerAnswer('lint', text)).toEqual({ outcome: 'failed', reason })
  })

  test.each([
    ['{"result":"ok"}', 'reviewer x answered no list of findings'],
    ['null', 'reviewer x answered no list of findings'],
    ['[7]', 'reviewer x answered a wrong finding (number 1: expected an object)'],
    ['[{"rule":"r"}]', 'reviewer x answered a wrong finding (number 1: message must be a text)'],
    [
      '[{"rule":"r","message":"m","line":0}]',
      'reviewer x answered a wrong finding (number 1: line must be a whole number from 1)',
    ],
    [
      '[{"rule":"r","message":"m","severity":"info"}]',
      'reviewer x answered a wrong finding (number 1: severity must be error, warning or note)',
    ],
  ])('that is %s is refused', (text, reason) => {
    expect(parseReviewerAnswer('x', text)).toEqual({ outcome: 'failed', reason })
  })
})
