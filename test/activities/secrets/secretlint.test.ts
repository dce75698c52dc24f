import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecretScanner } from '#activities/secrets/secretlint'
import type { SecretScan } from '#activities/secrets/port'
import type { Sha } from '#domain/pull-request'
import { createHistory, type History } from '../review/history.ts'

// Put together here, so that no scanner takes this file for a leak.
const githubToken = ['ghp', '_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('')
const awsKeyId = ['AKIA', 'IOSFODNN7EXAMPLE'].join('')
const slackToken = ['xoxb', '-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx'].join('')

let history: History
let base: Sha

beforeEach(async () => {
  history = await createHistory()
  base = await history.commit({ 'readme.md': 'one\ntwo\nthree\n', 'app.js': 'let a = 1\n' })
})

afterEach(() => history.remove())

function scan(head: Sha, changes: Partial<SecretScan> = {}) {
  return createSecretScanner().scan({
    git: history.git,
    base,
    head,
    allow: [],
    now: '2026-06-15T12:00:00Z',
    signal: new AbortController().signal,
    ...changes,
  })
}

describe('a secret is found', () => {
  test('in the line of the new file where it is added', async () => {
    const head = await history.commit({ 'readme.md': `one\ntwo\nand a half\nthree\n\n\nuse ${githubToken}\n` })
    const { findings } = await scan(head)
    expect(findings).toEqual([
      { rule: 'github-token', message: 'GitHub token ghp_****', path: 'readme.md', line: 7, commit: head },
    ])
  })

  test('in an earlier commit that a later one removes', async () => {
    const leak = await history.commit({ 'app.js': `let a = 1\nconst key = '${awsKeyId}'\n` })
    const head = await history.commit({ 'app.js': 'let a = 1\n' })
    const { findings, commits } = await scan(head)
    expect(findings).toMatchObject([{ rule: 'aws-access-key-id', path: 'app.js', line: 2, commit: leak }])
    expect(commits).toBe(2)
  })

  test('once for a path, with the earliest commit that adds it', async () => {
    const leak = await history.commit({ 'app.js': `a('${githubToken}')\n` })
    await history.commit({ 'app.js': 'let a = 1\n' })
    const head = await history.commit({ 'app.js': `\n\nb('${githubToken}')\n` })
    expect((await scan(head)).findings).toMatchObject([{ line: 1, commit: leak }])
  })

  test('by a rule of the preset', async () => {
    const head = await history.commit({ 'vault.txt': `${['hvs', '.CAESI'].join('')}${'a1B2c3D4e5'.repeat(9)}\n` })
    expect((await scan(head)).findings).toMatchObject([{ rule: 'hashicorp-vault', path: 'vault.txt', line: 1 }])
  })

  test('although a comment in the PR switches the scanner off', async () => {
    const head = await history.commit({
      'app.js': `// secretlint-disable\nuse('${slackToken}') // secretlint-disable-line\n`,
    })
    expect((await scan(head)).findings).toMatchObject([{ rule: 'slack-token', line: 2 }])
  })

  test('in a path with spaces and letters of other scripts', async () => {
    const head = await history.commit({ 'docs/größe 1.txt': `${githubToken}\n` })
    expect((await scan(head)).findings).toMatchObject([{ path: 'docs/größe 1.txt' }])
  })

  test('at the end of a line of a megabyte', async () => {
    const head = await history.commit({ 'min.js': `${'var a=1;'.repeat(140_000)} "${githubToken}"\n` })
    expect((await scan(head)).findings).toMatchObject([{ rule: 'github-token', path: 'min.js', line: 1 }])
  })

  test('as a private key of several lines', async () => {
    const key = ['-----BEGIN RSA', ' PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n'].join('')
    const head = await history.commit({ 'id.pem': `\n${key}` })
    expect((await scan(head)).findings).toMatchObject([{ rule: 'private-key', line: 2 }])
  })
})

test('no output holds the value', async () => {
  const password = 'Tr0ub4dor&3xyz'
  const head = await history.commit({ 'a.yml': `password: "${password}"\n${githubToken}\n` })
  const written = JSON.stringify(await scan(head))
  expect(written).not.toContain(password.slice(0, 5))
  expect(written).not.toContain(githubToken.slice(0, 5))
})

test('a file on the base is not searched', async () => {
  base = await history.commit({ 'old.txt': `${githubToken}\n` })
  const head = await history.commit({ 'old.txt': `${githubToken}\nmore\n` })
  expect((await scan(head)).findings).toEqual([])
})

test('a binary file is left out, and that is noted', async () => {
  const head = await history.commit({ 'a.bin': Buffer.from(`\0\0${githubToken}`) })
  expect(await scan(head)).toMatchObject({ findings: [], notes: ['1 binary file was not scanned'] })
})

describe('a merge of the base into the PR', () => {
  async function baseMoves(content: string): Promise<Sha> {
    await history.run('switch', '-q', '--detach', base)
    return history.commit({ 'readme.md': content })
  }

  test('does not report what the base brought', async () => {
    const mine = await history.commit({ 'app.js': 'let a = 2\n' })
    const moved = await baseMoves(`one\ntwo\nthree\n${githubToken}\n`)
    await history.run('switch', '-q', '--detach', mine)
    const head = await history.merge(moved)
    expect((await scan(head, { base })).findings.filter(({ commit }) => commit === head)).toEqual([])
    expect((await scan(head, { base: moved })).findings).toEqual([])
  })

  test('reports what the merge itself adds', async () => {
    const mine = await history.commit({ 'readme.md': 'one\ntwo\nthree!\n' })
    const moved = await baseMoves('one\ntwo\nthree?\n')
    await history.run('switch', '-q', '--detach', mine)
    const head = await history.merge(moved, { 'readme.md': `one\ntwo\n${githubToken}\n` })
    expect((await scan(head, { base: moved })).findings).toMatchObject([{ path: 'readme.md', line: 3, commit: head }])
  })
})

describe('an allowance', () => {
  const until = '2026-06-15'
  async function leak(): Promise<Sha> {
    return history.commit({ 'docs/key.md': `${awsKeyId}\n` })
  }

  test('of the value covers the finding, on its last day too', async () => {
    const outcome = await scan(await leak(), { allow: [{ pattern: 'EXAMPLE$', reason: 'docs', until }] })
    expect(outcome).toMatchObject({ findings: [], allowed: 1, expired: [] })
  })

  test('of path and rule covers the finding', async () => {
    const allow = [{ pattern: '^docs/.*:aws-access-key-id$', reason: 'docs', until }]
    expect(await scan(await leak(), { allow })).toMatchObject({ findings: [], allowed: 1 })
  })

  test('no longer counts after its date', async () => {
    const allow = [{ pattern: 'EXAMPLE', reason: 'docs', until }]
    const outcome = await scan(await leak(), { allow, now: '2026-06-16T00:00:00Z' })
    expect(outcome).toMatchObject({ findings: [{ rule: 'aws-access-key-id' }], allowed: 0, expired: allow })
  })

  test('whose pattern never ends is left out with a note', async () => {
    const head = await history.commit({ 'a.txt': `token = "${'a1b2c3d4e5'.repeat(4)}!"\n` })
    const allow = [{ pattern: '^(\\w+)+!!$', reason: 'slow', until }]
    const outcome = await scan(head, { allow })
    expect(outcome.findings).toHaveLength(1)
    expect(outcome.notes).toEqual(['the pattern of the allowance "slow" takes too long and is left out'])
  })

  test('whose pattern is no regular expression is left out with a note', async () => {
    const outcome = await scan(await leak(), { allow: [{ pattern: '(', reason: 'typo', until }] })
    expect(outcome.notes).toEqual(['the allowance "typo" has no usable pattern'])
  })
})

test('a scan ends when it is aborted', async () => {
  const head = await history.commit({ 'a.txt': 'text\n' })
  const signal = AbortSignal.abort(new Error('cancelled'))
  await expect(scan(head, { signal })).rejects.toThrow('cancelled')
})

test('a change of 1,000 files is scanned file by file', { timeout: 60_000 }, async () => {
  const files = Object.fromEntries(
    Array.from({ length: 1000 }, (_, n) => [`src/f${n}.js`, `let a = ${n}\n`.repeat(50)]),
  )
  const head = await history.commit({ ...files, 'src/f777.js': `let a = 1\nuse('${githubToken}')\n` })
  expect((await scan(head)).findings).toMatchObject([{ path: 'src/f777.js', line: 2 }])
})
