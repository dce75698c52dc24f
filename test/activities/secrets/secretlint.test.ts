import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecretScanner } from '#activities/secrets/secretlint'
import type { SecretScan, TextScan } from '#activities/secrets/port'
import type { Sha } from '#domain/pull-request'
import { longestStretch } from '../git/stretch.ts'
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

function scanTexts(texts: TextScan['texts'], allow: TextScan['allow'] = []) {
  const { signal } = new AbortController()
  return createSecretScanner().scanTexts({ texts, allow, now: '2026-06-15T12:00:00Z', signal })
}

function scan(head: Sha, changes: Partial<SecretScan> = {}, scanner = createSecretScanner()) {
  return scanner.scan({
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

/** A text of about so many bytes in which no two parts are the same. */
function ordinary(bytes: number): string {
  return Array.from({ length: bytes / 40 }, (_, n) => `line ${n} is neither too short nor too long\n`).join('')
}

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

describe('all is scanned, or the outcome says what not', () => {
  test('a secret behind more than 32 MB of other files is found', { timeout: 120_000 }, async () => {
    const files = Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`a${n}.txt`, ordinary(4.9e6)]))
    const leak = await history.commit({ ...files, 'z.txt': `${awsKeyId}\n` })
    const head = await history.commit(Object.fromEntries([...Object.keys(files), 'z.txt'].map((path) => [path, null])))
    const { findings, unscanned } = await scan(head)
    expect(findings).toMatchObject([{ rule: 'aws-access-key-id', path: 'z.txt', commit: leak }])
    expect(unscanned).toEqual([])
  })

  test('a change over the total limit names it', async () => {
    const head = await history.commit({ 'a.txt': ordinary(3e6), 'b.txt': `${awsKeyId}\n` })
    const scanner = createSecretScanner({ total: 2 * 1024 * 1024, binary: 1024 })
    expect(await scan(head, {}, scanner)).toMatchObject({ unscanned: ['what comes after the first 2 MB'] })
  })

  test('a binary file over its limit is named', async () => {
    const head = await history.commit({ 'a.bin': Buffer.alloc(2000) })
    const scanner = createSecretScanner({ total: 1e6, binary: 1024 })
    const { unscanned } = await scan(head, {}, scanner)
    expect(unscanned).toEqual([`a.bin (2000 bytes) of commit ${head.slice(0, 12)}`])
  })

  test('a binary file over its limit that the policy allows is not', async () => {
    const head = await history.commit({ 'a.bin': Buffer.alloc(2000) })
    const scanner = createSecretScanner({ total: 1e6, binary: 1024 })
    const allow = [{ pattern: '^a.bin:unscanned$', reason: 'film', until: '2026-06-15' }]
    expect((await scan(head, { allow }, scanner)).unscanned).toEqual([])
  })

  test('a scan with endless findings ends', { timeout: 60_000 }, async () => {
    const keys = Array.from({ length: 3000 }, (_, n) => `${awsKeyId.slice(0, 12)}${`${n}`.padStart(8, 'A')}\n`)
    const head = await history.commit({ 'a.txt': keys.join('') })
    const { findings, unscanned } = await scan(head)
    expect([findings.length, unscanned]).toEqual([1000, ['what comes after the first findings']])
  })
})

describe('in a binary file', () => {
  test('a secret beside a single NUL is found, with its line', async () => {
    const head = await history.commit({ 'a.env': Buffer.from(`A=1\npassword: "Tr0ub4dor&3xyz"\n${awsKeyId}\n\0`) })
    expect((await scan(head)).findings).toMatchObject([
      { rule: 'generic-assignment', path: 'a.env', line: 2, commit: head },
      { rule: 'aws-access-key-id', path: 'a.env', line: 3, commit: head },
    ])
  })

  test('a token between bytes that are no text is found, without a line', async () => {
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 7) % 256))
    const head = await history.commit({ 'a.bin': Buffer.concat([noise, Buffer.from(`\0${githubToken}\0`), noise]) })
    expect((await scan(head)).findings).toMatchObject([{ rule: 'github-token', path: 'a.bin', line: null }])
  })

  test('a token in UTF-16 is found', async () => {
    const head = await history.commit({ 'a.ps1': Buffer.from(`\ufeff$key = "${githubToken}"\r\n`, 'utf16le') })
    expect((await scan(head)).findings).toMatchObject([{ rule: 'github-token', path: 'a.ps1' }])
  })

  test('a secret that was removed again is found', async () => {
    const leak = await history.commit({ 'a.bin': Buffer.from(`\0\0\xff${githubToken}\0`, 'latin1') })
    const head = await history.commit({ 'a.bin': Buffer.from('\0') })
    expect((await scan(head)).findings).toMatchObject([{ rule: 'github-token', commit: leak }])
  })

  test('what only looks like a secret to a person is left alone', async () => {
    const marker = ['-----BEGIN RSA', ' PRIVATE KEY-----\0-----END RSA PRIVATE KEY-----\0'].join('')
    const content = Buffer.from(`\xff\xfe\0\0${marker}password=h3llo-W0rld\0https://%s:pass@host\0`, 'latin1')
    expect((await scan(await history.commit({ 'a.out': content }))).findings).toEqual([])
  })

  test('a text that replaces binary content is scanned as text', async () => {
    await history.commit({ 'a.txt': Buffer.from('a\0b\n') })
    const head = await history.commit({ 'a.txt': `one\n${githubToken}\n` })
    expect((await scan(head)).findings).toMatchObject([{ path: 'a.txt', line: 2, commit: head }])
  })
})

describe('in what is said', () => {
  test("a secret in a commit's message is found", async () => {
    await history.run('commit', '-q', '--allow-empty', '-m', 'use it', '-m', `the key is ${awsKeyId}`)
    const leak = await history.run('rev-parse', 'HEAD')
    const { findings } = await scan(await history.commit({ 'app.js': 'let a = 2\n' }))
    expect(findings).toEqual([
      {
        rule: 'aws-access-key-id',
        message: 'AWS access key id AKIA**** in the commit message',
        path: null,
        line: null,
        commit: leak,
      },
    ])
  })

  test('a secret in a text is found under its name', async () => {
    const { findings } = await scanTexts([
      { name: 'title', text: 'Add a key' },
      { name: 'body', text: `use ${githubToken}` },
    ])
    expect(findings).toMatchObject([{ message: 'GitHub token ghp_**** in the body', path: null, commit: null }])
  })

  test('an allowance covers it', async () => {
    const allow = [{ pattern: '^title:github-token$', reason: 'docs', until: '2026-06-15' }]
    expect(await scanTexts([{ name: 'title', text: githubToken }], allow)).toMatchObject({ findings: [], allowed: 1 })
  })
})

test('a hostile change never holds the process up', { timeout: 120_000 }, async () => {
  const head = await history.commit({
    'empty.txt': '\n'.repeat(2_000_000),
    'keys.txt': 'token = "'.repeat(200_000),
    'long.js': 'a'.repeat(2_000_000),
    'ids.txt': Array.from({ length: 20_000 }, (_, n) => `${awsKeyId.slice(0, 4)}${`${n}`.padStart(16, 'A')}\n`).join(
      '',
    ),
    'nul.txt': Buffer.from(`\0${'\n'.repeat(8_000_000)}`),
  })
  expect(await longestStretch(() => scan(head), 200)).toBeLessThan(200)
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
