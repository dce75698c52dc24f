import { describe, expect, test } from 'vitest'
import { maskedText, maskSecrets } from '#domain/mask'
import { findSecrets } from '#domain/secret-patterns'

// Put together here, so that no scanner takes this file for a leak.
const join = (...parts: string[]): string => parts.join('')
const githubToken = join('ghp', '_', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8')
const jwt = join(
  'eyJ',
  'hbGciOiJIUzI1NiJ9',
  '.eyJ',
  'zdWIiOiIxMjM0NTY3ODkwIn0',
  '.',
  'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
)

describe('known values are masked', () => {
  const known = 'p/ss w0rd+é!'
  test.each([
    ['raw', known],
    ['base64', Buffer.from(known).toString('base64')],
    ['base64 after one byte', Buffer.from(`u${known}`).toString('base64')],
    ['base64 in basic authorization', Buffer.from(`me:${known}`).toString('base64')],
    ['base64url', Buffer.from(known).toString('base64url')],
    ['URL-encoded', encodeURIComponent(known)],
    ['form-encoded', encodeURIComponent(known).replaceAll('%20', '+')],
    ['JSON-escaped', JSON.stringify(known).slice(1, -1)],
  ])('%s', (_name, written) => {
    const masked = maskSecrets(`before ${written} after`, [known])
    expect(masked).toContain('****')
    expect(masked).not.toContain(written)
    expect(masked).toMatch(/^before .* after$/)
  })

  test('a value of fewer than 6 characters is left alone', () => {
    expect(maskSecrets('a short day', ['short'])).toBe('a short day')
  })

  test('the longer of two values that start alike is masked whole', () => {
    expect(maskSecrets('is abcdefgh-tail!', ['abcdefgh', 'abcdefgh-tail!'])).toBe('is abc****')
  })

  test('each line of a value of several lines is masked', () => {
    const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'
    expect(maskSecrets(`out: ${line}`, [`-----BEGIN X-----\n${line}\n`])).toBe('out: MIIE****')
  })

  test('a replacement pattern in a value is taken literally', () => {
    expect(maskSecrets('is $&$$12345678', ['$&$$12345678'])).toBe('is $&$****')
  })
})

describe('what looks like a secret is found', () => {
  test.each([
    ['generic-assignment', 'const api_key = "f83jK29dkQpz81"'],
    ['generic-assignment', "password: 'hunter2'"],
    ['generic-assignment', '{"clientSecret": "9f8e7d6c5b4a3f2e1d0c"}'],
    ['generic-assignment', String.raw`"{\"password\": \"hunter22\"}"`],
    ['generic-assignment', String.raw`"password": "hunter\"22"`],
    ['generic-assignment', 'DB_PASSWORD=correcthorsebattery'],
    ['generic-assignment', 'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzKEY'],
    ['generic-assignment', 'let token: string = "9f8e7d6c5b4a3f2e"'],
    ['jwt', `session ${jwt}`],
    ['aws-access-key-id', join('id = AKIA', 'IOSFODNN7EXAMPLE')],
    ['aws-access-key-id', join('id = ASIA', 'Y34FZKBOKMUTVV7A')],
    ['github-token', `TOKEN is ${githubToken}`],
    ['slack-token', join('xoxb', '-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx')],
    ['stripe-key', join('sk_', 'live_4eC39HqLyjWDarjtT1zdp7dc')],
    ['npm-token', join('npm', '_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8')],
    ['pypi-token', join('pypi-', 'AgEIcHlwaS5vcmc', 'a1B2c3D4e5'.repeat(6))],
    ['google-key', join('AIza', 'SyA1234567890abcdefghijklmnopqrstuv')],
    ['private-key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----'],
    ['private-key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['basic-auth-url', 'postgres://admin:s3cr3tpw@db.internal/shop'],
  ])('%s: %s', (rule, text) => {
    expect(findSecrets(text).map((match) => match.rule)).toEqual([rule])
  })
})

describe('what only stands for a secret is left alone', () => {
  test.each([
    'password = "changeme"',
    'api_key: "${API_KEY}"',
    'password: process.env.DB_PASSWORD',
    'const token = "<your-key>"',
    'token: "your-token-here-123"',
    'password: string',
    'const token = await getToken(user1)',
    'secretName: "shop-database-credentials-1"',
    'tokenUrl: "https://login.example.com/v2/token"',
    'password: "Password"',
    'grant: { token: "access_token" }',
    'password = "********"',
    'secret: {{ vault.token1 }}',
    'api_key = os.environ["API_KEY"]',
    'password = credentials.password1',
    'if (token === expected.token2) return',
    'https://user:${PASSWORD}@host/',
    'https://host:8080/path@1',
    'const passwordLength = 12345678',
  ])('%s', (text) => {
    expect(findSecrets(text)).toEqual([])
  })
})

describe('a masked text', () => {
  test('shows at most the first 4 characters of the value', () => {
    expect(maskSecrets(`push with ${githubToken} now`)).toBe('push with ghp_**** now')
  })

  test('keeps the name that it was assigned to', () => {
    expect(maskSecrets('api_key = "f83jK29dkQpz81"')).toBe('api_key = "f83****"')
  })

  test('hides the credentials of an authorization header', () => {
    expect(maskSecrets('Authorization: Bearer abcDEF123456789012345')).toBe('Authorization: Bearer abcD****')
  })

  test('stays the same when it is masked again', () => {
    const once = maskSecrets(`password="hunter2hunter" ${jwt} https://a:b1c2d3@host`)
    expect(maskSecrets(once)).toBe(once)
  })

  test('has no part of a private key', () => {
    const masked = maskSecrets(
      '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END PRIVATE KEY-----\nafter',
    )
    expect(masked).toBe('----****\nafter')
  })
})

describe('a line of 1 MB is masked in linear time', () => {
  const megabyte = 1_000_000
  test.each([
    'a',
    'eyJ',
    'eyJaaaaaaaa.',
    'token=',
    'token="',
    "password:'",
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN RSA PRIVATE KEY-----a-',
    '://',
    '://a:',
    '://a:bcd',
    'AKIA',
    'github_pat_',
    'xoxb-',
    'sk-ant-',
    'bearer ',
    'api_key-',
    ' ',
    'pypi-AgE',
    'hooks.slack.com/services/',
    'secret:a1b2c3d4e5',
    'ya29.',
    '"',
    '=',
  ])('of %s', (piece) => {
    const text = piece.repeat(Math.ceil(megabyte / piece.length))
    const before = performance.now()
    maskSecrets(text, ['a known value'])
    expect(performance.now() - before).toBeLessThan(3_000)
  })
})

test('text is made plain before it is masked, for what is not shown can part a secret', () => {
  const parted = [
    githubToken.slice(0, 9),
    '\u200b',
    githubToken.slice(9, 20),
    '\u001b[31m',
    githubToken.slice(20),
  ].join('')
  expect(maskedText(`use ${parted} here`)).toBe(`use ${maskSecrets(githubToken)} here`)
  expect(maskedText('a \u200bknown value', { known: ['known value'] })).toBe(
    `a ${maskSecrets('known value', ['known value'])}`,
  )
  expect(maskedText('two\nlines', { multiline: true })).toBe('two\nlines')
})
