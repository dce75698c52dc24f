import { describe, expect, it } from 'vitest'
import type { Policy } from '#domain/policy'
import { checkDigest, parsePolicy, policyDigest, policyFacts } from '#config/policy'
import { formatProblem } from '#config/problems'

const minute = 60_000
const day = 86_400_000

const defaults: Policy = {
  version: 1,
  base: ['main'],
  checks: {
    tests: null,
    secrets: { allow: [] },
    review: { maxFileSize: 5_000_000, forbiddenPaths: [], reviewers: [], approvals: 0 },
  },
  evidence: { maxAge: 7 * day },
  merge: {
    auto: true,
    method: 'squash',
    message: '{title} (#{number})',
    cutMarks: ['<!-- switchyard: cut -->'],
    deleteBranch: true,
    staleAfter: 30 * day,
  },
}

/** The example of the design, with its later keys. */
const whole = `
version: 1
base: [main, 'release/1']
checks:
  tests:
    run: npm test
    setup: npm ci
    keep: { lockfile: package-lock.json, paths: [node_modules] }
    timeout: 15m
    retries: 1
    report: junit.xml
    network: false
  secrets:
    allow: [{ pattern: 'AKIAEXAMPLE', reason: 'docs', until: 2027-01-01 }]
  review:
    maxFileSize: 5MB
    forbiddenPaths: []
    reviewers: [{ run: ./tools/review.sh --strict }]
    approvals: 0
evidence: { maxAge: 7d }
merge:
  auto: true
  method: squash
  message: '{title} (#{number})'
  deleteBranch: true
  staleAfter: 30d
queue: { goal: reliability, ciBudget: 2, batch: 1, batchWait: 0s }
release: { branch: main, version: conventional, tag: 'v{version}' }
environments:
  - { name: qa, deployer: { command: ./deploy.sh }, verify: { run: ./smoke.sh, timeout: 2m }, auto: true }
  - { name: production, deployer: { command: ./deploy.sh }, approve: { count: 1, from: [release-managers] } }
qa: { branches: [], commit: pr }
`

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text, 'p.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.policy
}

function problemsOf(text: string): string[] {
  const parsed = parsePolicy(text, 'p.yaml')
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

describe('a policy that is good', () => {
  it.each([
    ['an empty text', ''],
    ['only comments', '# nothing yet\n'],
    ['only the version', 'version: 1'],
    ['empty maps', 'checks: {}\nmerge: {}\nevidence: {}'],
  ])('has every default: %s', (_, text) => {
    expect(policyOf(text)).toEqual(defaults)
  })

  it('is the whole example of the design', () => {
    expect(policyOf(whole)).toEqual({
      ...defaults,
      base: ['main', 'release/1'],
      checks: {
        tests: {
          run: 'npm test',
          setup: 'npm ci',
          keep: { lockfile: 'package-lock.json', paths: ['node_modules'] },
          timeout: 15 * minute,
          retries: 1,
          report: 'junit.xml',
          network: false,
          env: [],
        },
        secrets: { allow: [{ pattern: 'AKIAEXAMPLE', reason: 'docs', until: '2027-01-01' }] },
        review: {
          ...defaults.checks.review,
          reviewers: [{ name: 'review.sh', run: './tools/review.sh --strict', timeout: 5 * minute }],
        },
      },
    })
  })

  it('declares tests by their command alone', () => {
    expect(policyOf('checks: { tests: { run: make test } }').checks.tests).toEqual({
      run: 'make test',
      setup: null,
      keep: null,
      timeout: 15 * minute,
      retries: 1,
      network: false,
      env: [],
    })
  })

  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('has durations in milliseconds: %s', (text, expected) => {
    expect(policyOf(`evidence: { maxAge: ${text} }`).evidence.maxAge).toBe(expected)
  })

  it.each([
    ['512B', 512],
    ['5MB', 5_000_000],
    ['5 MB', 5_000_000],
    ['5MiB', 5_242_880],
    ['0.5KB', 500],
  ])('has sizes in bytes: %s', (text, expected) => {
    expect(policyOf(`checks: { review: { maxFileSize: ${text} } }`).checks.review.maxFileSize).toBe(expected)
  })

  it.each(['dependabot/npm/@types/node', 'fix/#12', 'c++'])('protects a branch called %s', (branch) => {
    expect(policyOf(`base: ['${branch}']`).base).toEqual([branch])
  })

  it('may use anchors', () => {
    const policy = policyOf('evidence: { maxAge: &week 7d }\nmerge: { staleAfter: *week }')
    expect(policy.merge.staleAfter).toBe(7 * day)
  })
})

describe('a policy that is bad', () => {
  it.each([
    ['a key that nearly exists', 'verison: 1', ["p.yaml:1:1: unknown key 'verison' (did you mean 'version'?)"]],
    [
      'a nested unknown key',
      'checks:\n  tests:\n    run: x\n    timeOut: 5m',
      ["p.yaml:4:5: unknown key 'checks.tests.timeOut' (did you mean 'timeout'?)"],
    ],
    [
      'a key like none',
      'evidence:\n  zzzzzzzz: 1',
      ["p.yaml:2:3: unknown key 'evidence.zzzzzzzz' (known keys: maxAge)"],
    ],
    [
      'an unknown key in a list',
      'checks:\n  review:\n    reviewers:\n      - run: a\n        nam: b',
      ["p.yaml:5:9: unknown key 'checks.review.reviewers.0.nam' (did you mean 'name'?)"],
    ],
    [
      'a number for a duration',
      'checks:\n  tests:\n    run: x\n    timeout: 15',
      [
        "p.yaml:4:14: 'checks.tests.timeout' must be a duration such as 15m (units ms, s, m, h, d, w), found 15 (a number)",
      ],
    ],
    [
      'a duration of an unknown unit',
      'merge: { staleAfter: 3 months }',
      [
        `p.yaml:1:22: 'merge.staleAfter' must be a duration such as 30d (units ms, s, m, h, d, w), found the text "3 months"`,
      ],
    ],
    [
      'a duration that is too long for a timer',
      'checks: { tests: { run: x, timeout: 30d } }',
      [`p.yaml:1:37: 'checks.tests.timeout' must be a duration between 1ms and 7d, found the text "30d"`],
    ],
    [
      'a size without a unit',
      'checks: { review: { maxFileSize: 5 } }',
      [
        "p.yaml:1:34: 'checks.review.maxFileSize' must be a size such as 5MB (units B, KB, MB, GB, KiB, MiB, GiB), found 5 (a number)",
      ],
    ],
    [
      'text for true or false',
      'merge:\n  auto: yes',
      [`p.yaml:2:9: 'merge.auto' must be true or false, found the text "yes"`],
    ],
    ['text for a list', 'base: main', [`p.yaml:1:7: 'base' must be a list, found the text "main"`]],
    ['an empty list of branches', 'base: []', ["p.yaml:1:7: 'base' must have at least one entry, found an empty list"]],
    ['a branch twice', 'base: [main, main]', ["p.yaml:1:7: 'base' names a branch twice"]],
    [
      'a branch that is an option',
      'base: [-f]',
      [`p.yaml:1:8: 'base.0' must be the name of a branch, found the text "-f"`],
    ],
    ['a list for a map', 'checks: []', ["p.yaml:1:9: 'checks' must be a map of keys and values, found an empty list"]],
    [
      'a key without a value',
      'version: 1\nchecks:\nmerge: {}',
      ["p.yaml:2:1: 'checks' must be a map of keys and values, found nothing"],
    ],
    ['a list for the file', '- a', ['p.yaml:1:1: the file must be a map of keys and values, found a list']],
    ['another version', 'version: 2', ["p.yaml:1:10: 'version' must be 1, found 2 (a number)"]],
    [
      'tests without a command',
      'checks:\n  tests:\n    setup: npm ci',
      ["p.yaml:3:5: 'checks.tests.run' is missing: it must be a command that is not empty"],
    ],
    [
      'an empty command',
      "checks: { tests: { run: '' } }",
      ["p.yaml:1:25: 'checks.tests.run' must be a command that is not empty, found empty text"],
    ],
    [
      'a kept path outside the repository',
      'checks: { tests: { run: x, keep: { lockfile: l, paths: [../x] } } }',
      [
        `p.yaml:1:57: 'checks.tests.keep.paths.0' must be a relative path that stays in the repository and outside .git, found the text "../x"`,
      ],
    ],
    [
      'a negative count',
      'checks: { review: { approvals: -1 } }',
      ["p.yaml:1:32: 'checks.review.approvals' must be at least 0, found -1 (a number)"],
    ],
    [
      'a fraction of a count',
      'checks: { review: { approvals: 1.5 } }',
      [
        "p.yaml:1:32: 'checks.review.approvals' must be a whole number, or { count: 2, from: [people or groups] }, found 1.5 (a number)",
      ],
    ],
    [
      'a variable with its value',
      "checks: { tests: { run: x, env: ['A=b'] } }",
      [`p.yaml:1:34: 'checks.tests.env.0' must be the name of an environment variable, found the text "A=b"`],
    ],
    [
      'an allowance without reason or date',
      'checks:\n  secrets:\n    allow:\n      - pattern: AKIA',
      [
        "p.yaml:4:9: 'checks.secrets.allow.0.reason' is missing: it must be a reason that is not empty",
        "p.yaml:4:9: 'checks.secrets.allow.0.until' is missing: it must be a date such as 2027-01-31",
      ],
    ],
    [
      'an allowance until a day that is not in the calendar',
      "checks:\n  secrets:\n    allow:\n      - { pattern: A, reason: ' ', until: 2027-02-30 }",
      [
        `p.yaml:4:31: 'checks.secrets.allow.0.reason' must be a reason that is not empty, found the text " "`,
        `p.yaml:4:43: 'checks.secrets.allow.0.until' must be a date such as 2027-01-31, found the text "2027-02-30"`,
      ],
    ],
    [
      'an allowance that is no regular expression',
      "checks: { secrets: { allow: [{ pattern: '(', reason: a, until: 2027-01-01 }] } }",
      [`p.yaml:1:41: 'checks.secrets.allow.0.pattern' must be a regular expression, found the text "("`],
    ],
    [
      'two reviewers of one name',
      'checks: { review: { reviewers: [{ run: a/x }, { run: b/x }] } }',
      ["p.yaml:1:32: 'checks.review.reviewers' has two reviewers of the same name; give one of them another `name`"],
    ],
    [
      'a method that nobody knows',
      'merge: { method: octopus }',
      [`p.yaml:1:18: 'merge.method' must be merge, squash, rebase or fast-forward, found the text "octopus"`],
    ],
    [
      'a template with an unknown placeholder',
      "merge: { message: '{titel} (#{number})' }",
      [
        `p.yaml:1:19: 'merge.message' must name no other placeholders than {title}, {number}, {author}, {head}, {base}, {body}, {commits}, found the text "{titel} (#{number})"`,
      ],
    ],
    [
      'a template without a placeholder',
      'merge: { message: merged }',
      [
        `p.yaml:1:19: 'merge.message' must name at least one of the placeholders {title}, {number}, {author}, {head}, {base}, {body}, {commits}, found the text "merged"`,
      ],
    ],
    [
      'a template that has the body in its subject',
      "merge: { message: '{title} {body}' }",
      [
        `p.yaml:1:19: 'merge.message' must name {body} below its first line, which is the subject, found the text "{title} {body}"`,
      ],
    ],
    [
      'a cut mark of two lines',
      'merge: { cutMarks: ["a\\nb"] }',
      [`p.yaml:1:21: 'merge.cutMarks.0' must be one line of text, found the text "a\\u000ab"`],
    ],
    [
      'an environment without a name',
      'environments: [{ auto: true }]',
      ["p.yaml:1:16: 'environments.0.name' is missing: it must be text that is not empty"],
    ],
    [
      'every problem of the file, in its order',
      'merge: { auto: 1 }\nbase: 2\nfoo: 3',
      [
        "p.yaml:1:16: 'merge.auto' must be true or false, found 1 (a number)",
        "p.yaml:2:7: 'base' must be a list, found 2 (a number)",
        "p.yaml:3:1: unknown key 'foo' (known keys: $schema, version, base, checks, evidence, merge, mode, rules, policyChange, commands, questions, overrides, queue, release, environments, qa)",
      ],
    ],
  ])('is refused with its place: %s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })

  it('names the path apart from the message', () => {
    const parsed = parsePolicy('merge:\n  atuo: true', '.switchyard.yaml')
    expect(parsed).toEqual({
      ok: false,
      problems: [
        {
          file: '.switchyard.yaml',
          line: 2,
          column: 3,
          path: 'merge.atuo',
          message: "unknown key 'merge.atuo'",
          hint: "did you mean 'auto'?",
        },
      ],
    })
  })

  it.each([
    ['escape sequences', 'merge: { method: "\\e[31mred\\u202e" }', '"\\u001b[31mred\\u202e"'],
    ['a password', 'merge: { method: "https://me:hunter2hunter2@host" }', '"https://***@host"'],
    ['a long text', `merge: { method: "${'word '.repeat(50)}" }`, `"${'word '.repeat(8)}…"`],
  ])('never shows %s', (_, text, shown) => {
    expect(problemsOf(text)).toEqual([
      `p.yaml:1:18: 'merge.method' must be merge, squash, rebase or fast-forward, found the text ${shown}`,
    ])
  })
})

describe('YAML that can not be read', () => {
  it.each([
    ['an open list', 'base: [main', /^p\.yaml:1:12: is not valid YAML: /],
    ['a tab', 'merge:\n\tauto: true', /^p\.yaml:2:1: is not valid YAML: tabs are not allowed/],
    ['a mapping in a mapping', 'version: 1\nmerge: auto: true', /^p\.yaml:2:8: is not valid YAML: nested mappings/],
    [
      'two documents',
      'version: 1\n---\nversion: 1',
      /^p\.yaml:2:1: is not valid YAML: source contains multiple documents$/,
    ],
    ['an unknown tag', 'version: !!foo 1', /^p\.yaml:1:10: is not valid YAML: unresolved tag/],
    ['a map as key', '? { a: 1 }\n: 2', /^p\.yaml:1:3: a key must be plain text$/],
    [
      'a key twice',
      'merge:\n  auto: true\n  auto: false',
      /^p\.yaml:3:3: the key 'merge\.auto' is there twice \(keep one of the two\)$/,
    ],
    [
      'a key twice in a list',
      'environments:\n  - name: qa\n  - name: a\n    name: b',
      /^p\.yaml:4:5: the key 'environments\.1\.name' is there twice/,
    ],
    ['an alias of nothing', 'base: *main', /^p\.yaml:1:7: the alias '\*main' has no anchor '&main' before it$/],
    ['an alias of itself', 'queue: &a { b: *a }', /^p\.yaml:1:16: the alias '\*a' stands inside its own anchor$/],
    ['a deep nest', `base: ${'['.repeat(50_000)}`, /^p\.yaml:1:\d+: is nested too deeply$/],
    ['a deep nest of blocks', `${'- '.repeat(40_000)}`, /^p\.yaml:1:\d+: is nested too deeply$/],
    ['a huge text', `# ${'x'.repeat(100_001)}`, /^p\.yaml:1:1: is larger than 100 KB$/],
  ])('is refused with its place: %s', (_, text, expected) => {
    expect(problemsOf(text)[0]).toMatch(expected)
  })

  it('is not expanded when its aliases multiply', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh']) {
      bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`)
    }
    expect(problemsOf(`queue:\n  ${bomb.join('\n  ')}`)).toEqual([
      'p.yaml:3:10: aliases expand to more than 100 values',
    ])
  })
})

describe('digests', () => {
  const base = 'checks: { tests: { run: npm test, setup: npm ci, env: [A, B] }, review: { approvals: 1 } }'

  it('of the same rules are the same, however they are written', () => {
    const parsed = parsePolicy('version: 1 # one\nmerge: { method: squash, auto: true }', 'p.yaml')
    expect(parsed.ok && parsed.digest).toBe(policyDigest(policyOf('')))
  })

  it('of other rules differ', () => {
    expect(policyDigest(policyOf('merge: { auto: false }'))).not.toBe(policyDigest(policyOf('')))
  })

  it.each([
    ['the command', 'tests', base.replace('npm test', 'npm run t')],
    ['the setup', 'tests', base.replace('npm ci', 'npm i')],
    ['the network', 'tests', base.replace('env:', 'network: true, env:')],
    ['the variables', 'tests', base.replace('[A, B]', '[A]')],
    ['the kept paths', 'tests', base.replace('env:', 'keep: { lockfile: l, paths: [p] }, env:')],
    [
      'an allowance',
      'secrets',
      base.replace('review:', 'secrets: { allow: [{ pattern: a, reason: b, until: 2027-01-01 }] }, review:'),
    ],
    ['a reviewer', 'review', base.replace('approvals', 'reviewers: [{ run: x }], approvals')],
    ['a forbidden path', 'review', base.replace('approvals', 'forbiddenPaths: [x], approvals')],
  ] as const)('of a check change with %s', (_, check, changed) => {
    expect(checkDigest(policyOf(changed), check)).not.toBe(checkDigest(policyOf(base), check))
  })

  it.each([
    ['its timeout', 'tests', base.replace('env:', 'timeout: 1m, env:')],
    ['its retries', 'tests', base.replace('env:', 'retries: 3, env:')],
    ['the order of its variables', 'tests', base.replace('[A, B]', '[B, A]')],
    ['the rules of other checks', 'tests', base.replace('approvals: 1', 'maxFileSize: 1MB')],
    ['approvals', 'review', base.replace('approvals: 1', 'approvals: 2')],
  ] as const)('of a check stay with %s', (_, check, changed) => {
    expect(checkDigest(policyOf(changed), check)).toBe(checkDigest(policyOf(base), check))
  })
})

describe('the facts for a workflow', () => {
  it('plan tests only where they are declared', () => {
    const facts = policyFacts(policyOf(''), 'd', 'init', null)
    expect(facts.checks.map((check) => check.name)).toEqual(['secrets', 'review'])
  })

  it('give each check its digest, time and retries', () => {
    const policy = policyOf(
      'checks: { tests: { run: x, timeout: 2m, retries: 3 }, review: { approvals: 2, reviewers: [{ run: a, timeout: 1m }, { run: b }] } }',
    )
    const planned = (name: string, minutes: number, retries: number) => {
      return { name, digest: checkDigest(policy, name), timeout: minutes * minute, retries }
    }
    expect(policyFacts(policy, 'd', 'last-good', 'broken')).toEqual({
      digest: 'd',
      source: 'last-good',
      problem: 'broken',
      checks: [
        { ...planned('tests', 2, 3), kind: 'command', subject: 'tree' },
        { ...planned('secrets', 5, 1), kind: 'secrets', subject: 'range' },
        { ...planned('review', 11, 1), kind: 'review', subject: 'range' },
      ],
      merge: policy.merge,
      approvals: 2,
      evidenceMaxAge: 7 * day,
    })
  })
})

describe("a policy's own checks", () => {
  const rest = { timeout: 15 * minute, retries: 1, network: false, env: [] }
  const own = 'checks: { lint: { run: npm run lint }, commits: { run: ./commits.sh, subject: range, report: r.sarif } }'

  it('are read with the defaults of every command', () => {
    const { checks } = policyOf(own)
    expect(checks.tests).toBeNull()
    expect(checks.own).toEqual({
      lint: { ...{ run: 'npm run lint', setup: null, keep: null }, ...rest },
      commits: { ...{ run: './commits.sh', setup: null, keep: null }, ...rest, subject: 'range', report: 'r.sarif' },
    })
  })

  it('are planned beside the built-in ones, each with its subject', () => {
    const facts = policyFacts(policyOf(own), 'd', 'base', null)
    expect(facts.checks.map(({ name, kind, subject }) => [name, kind, subject])).toEqual([
      ['lint', 'command', 'tree'],
      ['commits', 'command', 'range'],
      ['secrets', 'secrets', 'range'],
      ['review', 'review', 'range'],
    ])
  })

  it('have a digest each, of what decides their outcome', () => {
    const digest = (text: string) => checkDigest(policyOf(`checks: { lint: { run: x${text} } }`), 'lint')
    expect(digest('')).toBe(digest(', timeout: 1m'))
    expect(digest('')).toBe(digest(', subject: tree'))
    expect(digest('')).not.toBe(digest(', subject: range'))
    expect(digest('')).not.toBe(digest(', report: r.xml'))
    expect(digest('')).not.toBe(checkDigest(policyOf('checks: { test: { run: x } }'), 'test'))
  })

  it('leave a policy without any what it was', () => {
    expect(policyOf('checks: { tests: { run: x } }').checks).not.toHaveProperty('own')
  })

  it.each([
    ['Lint', "p.yaml:1:17: 'checks.Lint' has a name that no check can have: use lower-case letters, digits and"],
    ['no-secrets', "p.yaml:1:23: 'checks.no-secrets' has a name that is reserved"],
  ])('are not named %s', (name, problem) => {
    const result = parsePolicy(`checks: { ${name}: { run: x } }`, 'p.yaml')
    expect(result.ok ? '' : result.problems.map(formatProblem).join()).toContain(problem)
  })

  it('have their unknown keys named', () => {
    const result = parsePolicy('checks:\n  lint:\n    run: x\n    timeOut: 5m', 'p.yaml')
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([
      "p.yaml:4:5: unknown key 'checks.lint.timeOut' (did you mean 'timeout'?)",
    ])
  })
})
