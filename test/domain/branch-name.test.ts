import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkBranchName, checkRefName } from '#domain/branch-name'

const allowed = [
  'main',
  'dependabot/npm/@types/node',
  'fix/#12',
  'c++',
  'a@b',
  'grün',
  'x.y',
  'refs/heads/x',
  'a{b}',
  '日本語',
  '$(id)',
  "it's",
  'head',
  'a/HEAD',
  '@x',
  'a.lockx',
]

const refused: [string, string][] = [
  ['', 'is empty'],
  ['-f', 'starts with "-"'],
  ['--upload-pack=x', 'starts with "-"'],
  ['../x', 'contains ".."'],
  ['a..b', 'contains ".."'],
  ['a b', 'contains a space'],
  ['a\nb', 'contains a control character'],
  ['a\u007f', 'contains a control character'],
  ['a\u009bb', 'contains a control character'],
  ['a~1', 'contains "~"'],
  ['a^', 'contains "^"'],
  ['a:b', 'contains ":"'],
  ['a?', 'contains "?"'],
  ['a*', 'contains "*"'],
  ['a[', 'contains "["'],
  ['a\\b', 'contains "\\"'],
  ['a@{1}', 'contains "@{"'],
  ['@', 'is "@"'],
  ['HEAD', 'is "HEAD"'],
  ['/a', 'starts with "/"'],
  ['a/', 'ends with "/"'],
  ['a//b', 'contains "//"'],
  ['a.', 'ends with "."'],
  ['.a', 'starts with "."'],
  ['a/.b', 'starts with "."'],
  ['a.lock', 'ends with ".lock"'],
  ['a.lock/b', 'ends with ".lock"'],
  ['a\ud800', 'not valid Unicode'],
  ['x'.repeat(241), 'longer than 240 bytes'],
]

function gitAllows(name: string): boolean {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
  // Outside any repository, where `@{-1}` has nothing to expand to.
  return spawnSync('git', ['check-ref-format', '--branch', name], { env, cwd: '/' }).status === 0
}

describe('a branch name', () => {
  it.each(allowed)('may be %j', (name) => {
    expect([checkBranchName(name), gitAllows(name)]).toEqual([null, true])
  })

  it.each(refused)('may not be %j, which %s', (name, reason) => {
    expect(checkBranchName(name)).toContain(reason)
  })

  it('that passes here passes in git, and the other way round but for our own rules', () => {
    const pieces = [
      'a',
      'Z',
      '9',
      '.',
      '..',
      '/',
      '-',
      '@',
      '{',
      '@{',
      '.lock',
      '~',
      '^',
      ':',
      '?',
      '*',
      '[',
      '\\',
      ' ',
      '#',
      '+',
      'é',
      '日',
      'HEAD',
      '\t',
      '\u007f',
    ]
    const names = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
      fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).filter((name) => !name.includes('\0')),
    )
    fc.assert(
      fc.property(names, (name) => {
        const reason = checkBranchName(name)
        const ours = reason !== null && /control character|valid Unicode|longer than|is "@"/.test(reason)
        if (!ours) expect([name, reason === null]).toEqual([name, gitAllows(name)])
      }),
      { numRuns: 300 },
    )
  })
})

describe('a full ref name', () => {
  it.each(['refs/heads/main', 'refs/tags/v1.0', 'refs/switchyard/pr/1/head'])('may be %j', (ref) => {
    expect(checkRefName(ref)).toBeNull()
  })

  it.each(['main', 'HEAD', 'refs/', 'refs/heads/', 'refs/heads/-f', 'refs/tags/a b', 'refs/x/../../config'])(
    'may not be %j',
    (ref) => {
      expect(checkRefName(ref)).not.toBeNull()
    },
  )
})
