/** One secret in a text: `text.slice(start, end)`. `rule` is its id in findings, `kind` what a person calls it. */
export type SecretMatch = { rule: string; kind: string; start: number; end: number }

type SecretPattern = {
  rule: string
  kind: string
  /** With the flags `d` and `g`. The first group that took part is the secret, without groups the whole match. */
  regex: RegExp
  accepts?: (value: string, match: RegExpExecArray) => boolean
}

/**
 * `scan`: what a person should see of code; `mask`: the same, and what is only worth hiding in output; `binary`: what
 * no program holds by chance.
 */
export type SecretPurpose = 'scan' | 'mask' | 'binary'

/**
 * Every quantifier is bounded, or stops where its token stops and can only start there: a line of many megabytes
 * costs linear time (the tests hold this).
 */
const tokenPatterns: readonly SecretPattern[] = [
  {
    rule: 'private-key',
    kind: 'private key',
    regex:
      /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:[^-]|-(?!-)){0,16384}-----END [A-Z0-9 ]{1,80}-----)?/dg,
  },
  {
    rule: 'jwt',
    kind: 'JSON Web Token',
    regex: /(?<![\w-])eyJ[\w-]{8,8192}\.eyJ[\w-]{4,16384}\.[\w-]{16,2048}/dg,
  },
  {
    rule: 'aws-access-key-id',
    kind: 'AWS access key id',
    regex: /(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])/dg,
  },
  { rule: 'github-token', kind: 'GitHub token', regex: /gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}/dg },
  { rule: 'gitlab-token', kind: 'GitLab token', regex: /glpat-[\w-]{20,64}/dg },
  {
    rule: 'slack-token',
    kind: 'Slack token',
    regex:
      /xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-\d-[A-Za-z0-9-]{10,250}|hooks\.slack\.com\/(?:services|workflows)\/([A-Za-z0-9/]{20,120})/dg,
  },
  {
    rule: 'stripe-key',
    kind: 'Stripe key',
    regex: /[rs]k_(?:live|test)_[A-Za-z0-9]{16,247}|whsec_[A-Za-z0-9]{24,64}/dg,
  },
  { rule: 'npm-token', kind: 'npm token', regex: /npm_[A-Za-z0-9]{36}/dg },
  { rule: 'pypi-token', kind: 'PyPI token', regex: /pypi-AgE[\w-]{50,1000}/dg },
  { rule: 'google-key', kind: 'Google key', regex: /AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{20,500}/dg },
  { rule: 'anthropic-key', kind: 'Anthropic key', regex: /sk-ant-[\w-]{20,250}/dg },
  {
    rule: 'openai-key',
    kind: 'OpenAI key',
    regex: /sk-(?:proj|svcacct|admin)-[\w-]{20,250}|(?<![\w-])sk-[A-Za-z0-9]{32,64}/dg,
  },
  { rule: 'sendgrid-key', kind: 'SendGrid key', regex: /SG\.[\w-]{22}\.[\w-]{43}/dg },
  {
    rule: 'basic-auth-url',
    kind: 'password in a URL',
    regex: /:\/\/[^\s:@/"'`<>]{0,128}:([^\s@/"'`<>]{3,256})@/dg,
    accepts: (value) => !isPlaceholder(value),
  },
]

const authorizationPattern: SecretPattern = {
  rule: 'authorization',
  kind: 'authorization header',
  regex: /\b(?:bearer|basic) {1,4}([\w.~+/=-]{16,4096})/dgi,
  accepts: (value) => /\d/.test(value) && entropy(value) >= 3 && !isPlaceholder(value),
}

/**
 * Groups: name, its rest, then the value in double quotes, single quotes, backticks, escaped quotes (JSON within
 * JSON), or bare.
 */
const assignment =
  /((?:api|access|account|auth|encryption|signing|private|master|shared|service)[_-]?key|secret|token|passw(?:or)?d|passwd|passphrase|pwd|credential)([\w-]{0,32})["'`\]\\]{0,4}[ \t]{0,8}(?::[ \t]{0,4}\w{1,20}[ \t]{0,4}=|===?|:=|=>|[=:])[ \t]{0,8}(?:"((?:[^"\s\\]|\\.){6,4096})"|'((?:[^'\s\\]|\\.){6,4096})'|`([^`\s]{6,4096})`|\\{1,2}["']([^"'\s\\]{6,4096})\\{1,2}["']|([^\s"'`,;(){}[\]<>\\]{8,512})(?![\w(["'`]))/dgi

/** A name that ends so holds something about a secret, not the secret. */
const aboutASecret =
  /(?:names?|ur[il]|path|file|dir|id|ids|type|kind|field|label|length|size|count|limit|endpoint|header|prefix|suffix|regex|pattern|hint|text|title|error|message|expir\w*|expires?in|ttl|policy|param|status|state|env|var|ref|arn|placeholder|algorithm|issuer|scope|provider|manager|service|store|budget|usage)s?$/i

const placeholderWords = new Set(
  'change changeme changeit example sample dummy placeholder your todo fixme redacted undefined null none insert replace enter here omitted removed fake mock foo bar foobar foobarbaz lorem xxx'.split(
    ' ',
  ),
)

const labelWords = new Set(
  'access refresh api key keys token tokens secret secrets password passwords passwd pass passphrase pwd auth oauth authorization client id user username name value bearer private public session csrf xsrf jwt env service account credential credentials string text hidden required optional invalid missing new old current confirm reset forgot my the a an and or of to is in'.split(
    ' ',
  ),
)

/** Whether a value stands for a secret without being one: a variable, a template, `changeme`, `<your-key>`. */
export function isPlaceholder(value: string): boolean {
  if (/\*{3}$|^(.)\1*$|^(?:x{3,}|\.{3,})/i.test(value)) return true
  if (/\$[({]|\{\{|<%|%\(|^\$|^%\w+%$|^<.*>$|^@|^\{\w*\}$|^\[.*\]$/.test(value)) return true
  if (
    /process\.env|import\.meta|os\.environ|getenv|^env[.(]|^secrets?\.|^vars?\.|^(?:https?:\/\/|\.{0,2}\/\w+\/)/i.test(
      value,
    )
  )
    return true
  const words = value
    .slice(0, 256)
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
  if (words.some((word) => placeholderWords.has(word) || /^(?:your|changeme|insert|replace)/.test(word))) return true
  return !/\d/.test(value) && words.every((word) => labelWords.has(word))
}

/** Shannon entropy in bits per character. */
export function entropy(value: string): number {
  const counts = new Map<string, number>()
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits
}

function isPasswordName(name: string): boolean {
  return /^(?:passw|pwd|passphrase)/i.test(name)
}

function isMixedInside(value: string): boolean {
  return /[a-z]/.test(value) && /[A-Z]/.test(value.slice(1))
}

function isQuotedSecret(name: string, value: string): boolean {
  if (isPasswordName(name)) {
    if (entropy(value) < 2) return false
    return /[^A-Za-z]/.test(value) || isMixedInside(value) || value.length >= 12
  }
  if (value.length < 8 || entropy(value) < 2.9) return false
  if (/\d/.test(value)) return !/^[a-z]+(?:[-_.:/][a-z]+)*[-_.:/]?v?\d{1,2}$/.test(value)
  return value.length >= 16 && isMixedInside(value) && entropy(value) >= 3.4
}

/** `PASSWORD=value` of an environment file is a string; `token = token2` of a program is a name. */
function isBareSecret(name: string, value: string, separator: string): boolean {
  if (entropy(value) < 2.7) return false
  if (/^[A-Za-z_$][\w$]*(?:(?:\.|::|->)[A-Za-z_$][\w$]*)+[!?]?$/.test(value)) return false
  if (separator === '=' && name === name.toUpperCase()) return isPasswordName(name) || /\d/.test(value)
  const digits = value.replace(/\D/g, '').length
  return /[A-Za-z]/.test(value) && digits >= (/^[A-Za-z_]\w*$/.test(value) ? 3 : 1) && entropy(value) >= 3
}

const assignmentPattern: SecretPattern = {
  rule: 'generic-assignment',
  kind: 'hard-coded secret',
  regex: assignment,
  accepts: (value, match) => {
    const name = `${match[1] ?? ''}${match[2] ?? ''}`
    if (aboutASecret.test(match[2] ?? '') || isPlaceholder(value)) return false
    if (match[7] === undefined) return isQuotedSecret(name, value)
    return isBareSecret(name, value, match[0].slice(name.length, match[0].length - value.length))
  },
}

const scanned: readonly SecretPattern[] = [...tokenPatterns, assignmentPattern]
/** Programs that read keys hold the markers of one, and format strings for URLs, without a key or password. */
const binary: readonly SecretPattern[] = tokenPatterns
  .filter(({ rule }) => rule !== 'basic-auth-url')
  .map((pattern) =>
    pattern.rule === 'private-key' ? { ...pattern, accepts: (key) => /[A-Za-z0-9+/=]{48}/.test(key) } : pattern,
  )
const ofPurpose = { scan: scanned, mask: [...scanned, authorizationPattern], binary } as const

/** A `generic-assignment` names its variable in groups 1 and 2; its value is a later group. */
function valueRange(pattern: SecretPattern, match: RegExpExecArray): [number, number] {
  const first = pattern === assignmentPattern ? 3 : 1
  for (let group = first; group < match.length; group += 1) {
    const range = match.indices?.[group]
    if (range !== undefined) return range
  }
  return [match.index, match.index + match[0].length]
}

/** Every secret that the patterns find, by position; where two overlap, the one of the more specific pattern. */
export function findSecrets(text: string, purpose: SecretPurpose = 'scan'): SecretMatch[] {
  const found: SecretMatch[] = []
  for (const pattern of ofPurpose[purpose]) {
    for (const match of text.matchAll(pattern.regex)) {
      const [start, end] = valueRange(pattern, match)
      if (pattern.accepts?.(text.slice(start, end), match) === false) continue
      found.push({ rule: pattern.rule, kind: pattern.kind, start, end })
    }
  }
  return withoutOverlaps(found)
}

/** `found` is in the order of the patterns, the specific ones first; sorting by position keeps that among equals. */
function withoutOverlaps(found: SecretMatch[]): SecretMatch[] {
  const rank = new Map(found.map((match, index) => [match, index]))
  const kept: SecretMatch[] = []
  for (const match of found.toSorted((a, b) => a.start - b.start || (rank.get(a) ?? 0) - (rank.get(b) ?? 0))) {
    const last = kept.at(-1)
    if (last === undefined || match.start >= last.end) {
      kept.push(match)
      continue
    }
    const preferred = (rank.get(match) ?? 0) < (rank.get(last) ?? 0) ? match : last
    kept[kept.length - 1] = { ...preferred, start: last.start, end: Math.max(last.end, match.end) }
  }
  return kept
}
