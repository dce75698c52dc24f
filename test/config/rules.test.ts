import { readFile } from 'node:fs/promises'
import { describe, expect, it, test } from 'vitest'
import { parseInstallation } from '#config/installation-file'
import { parsePolicy, policyDigest, policyFacts } from '#config/policy'
import { formatProblem } from '#config/problems'
import { createRuleTools } from '#config/rules'
import type { Condition } from '#domain/rules/condition'

function policyOf(text: string) {
  const parsed = parsePolicy(text, 'p.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.policy
}

function problemsOf(text: string): string[] {
  const parsed = parsePolicy(text, 'p.yaml')
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

const required = (condition: string): Condition => policyOf(`rules: [{ require: ${condition} }]`).rules![0]!.require
const problemOf = (condition: string): string => problemsOf(`rules: [{ require: ${condition} }]`).join('\n')

const office = { days: [1, 2, 3, 4, 5], from: 540, to: 1020 }

describe('a condition', () => {
  test.each<[string, Condition]>([
    ['{ label: ready }', { kind: 'label', globs: ['ready'] }],
    ["{ label: [a, 'b*'] }", { kind: 'label', globs: ['a', 'b*'] }],
    ['{ paths: docs/** }', { kind: 'paths', globs: ['docs/**'], only: false }],
    ["{ paths: { only: [docs/, '*.md'] } }", { kind: 'paths', globs: ['docs/', '*.md'], only: true }],
    ['{ author: ann }', { kind: 'author', names: ['ann'] }],
    ['{ group: [a, b] }', { kind: 'group', names: ['a', 'b'] }],
    ['{ size: { files: { max: 3 } } }', { kind: 'size', files: { min: null, max: 3 }, lines: null }],
    ['{ size: { lines: { min: 1, max: 3 } } }', { kind: 'size', files: null, lines: { min: 1, max: 3 } }],
    ["{ base: [main, 'release/*'] }", { kind: 'base', globs: ['main', 'release/*'] }],
    ['{ approvals: 2 }', { kind: 'approvals', count: 2, from: null }],
    ['{ approvals: { from: [ops] } }', { kind: 'approvals', count: 1, from: ['ops'] }],
    ['{ check: lint }', { kind: 'check', name: 'lint' }],
    [
      '{ time: { within: Mon-Fri 09:00-17:00, zone: Europe/Berlin, after: 2026-07-01 } }',
      { kind: 'time', windows: [office], zone: 'Europe/Berlin', after: '2026-06-30T22:00:00.000Z', before: null },
    ],
    ['{ not: { label: wip } }', { kind: 'not', of: { kind: 'label', globs: ['wip'] } }],
    [
      '{ any: [{ label: a }, { all: [{ label: b }] }] }',
      {
        kind: 'any',
        of: [
          { kind: 'label', globs: ['a'] },
          { kind: 'all', of: [{ kind: 'label', globs: ['b'] }] },
        ],
      },
    ],
    [
      '{ if: { label: a }, then: { label: b } }',
      { kind: 'if', if: { kind: 'label', globs: ['a'] }, then: { kind: 'label', globs: ['b'] }, else: null },
    ],
    [
      '[{ label: a }, { label: b }]',
      {
        kind: 'all',
        of: [
          { kind: 'label', globs: ['a'] },
          { kind: 'label', globs: ['b'] },
        ],
      },
    ],
    ['[{ label: a }]', { kind: 'label', globs: ['a'] }],
  ])('%s', (text, condition) => {
    expect(required(text)).toEqual(condition)
  })

  test.each([
    ['{ lable: a }', "p.yaml:1:22: unknown key 'rules.0.require.lable' (did you mean 'label'?)"],
    [
      '{ all: [{ label: a }, { lable: b }] }',
      "p.yaml:1:44: unknown key 'rules.0.require.all.1.lable' (did you mean 'label'?)",
    ],
    ['[{ size: { file: { max: 1 } } }]', "unknown key 'rules.0.require.0.size.file' (did you mean 'files'?)"],
    ['{}', "'rules.0.require' must have exactly one key, found a map"],
    ['{ label: a, base: main }', 'must have exactly one key, not label and base; use `all`, found a map'],
    ['{ if: { label: a } }', 'must have both `if` and `then`'],
    ['{ if: { label: a }, label: b }', 'must have exactly one key, not if and label'],
    ['{ label: [] }', "'rules.0.require.label' must have at least one entry, found an empty list"],
    ['{ label: 5 }', "'rules.0.require.label' must be a label, or a list of them, found 5 (a number)"],
    ["{ paths: '!docs/**' }", 'must not start with "!": use `not`'],
    ['{ paths: { only: 5 } }', "'rules.0.require.paths.only' must be a glob, or a list of them, found 5"],
    ['{ size: {} }', 'must have `files`, `lines`, or both'],
    ['{ size: { files: { min: 3, max: 1 } } }', 'must have a `min` not over its `max`'],
    ['{ size: { files: {} } }', 'must have `min`, `max`, or both'],
    ['{ time: { within: Monday } }', 'must be a window such as Mon-Fri 09:00-17:00, found the text "Monday"'],
    ['{ time: { zone: UTC } }', 'must have `within`, `after` or `before`'],
    ['{ time: { after: soon } }', "'rules.0.require.time.after' must be a date or time such as"],
    ['{ time: { after: 2026-02-02, before: 2026-02-01 } }', "'rules.0.require.time.before' must be later than `after`"],
    ['{ time: { within: 09:00-17:00, zone: Mars } }', 'must be the name of a time zone such as Europe/Berlin'],
    ['{ approvals: { count: 2, form: [a] } }', "unknown key 'rules.0.require.approvals.form' (did you mean 'from'?)"],
    ['{ approvals: many }', 'must be a whole number, or { count: 2, from: [people or groups] }, found the text "many"'],
    ['nothing', 'must be a condition, or a list of them, found the text "nothing"'],
  ])('that is none says what is wrong, and where: %s', (text, problem) => {
    expect(problemOf(text)).toContain(problem)
  })

  test('is not nested beyond measure, and there are not too many', () => {
    const deep = (depth: number) => `${'{ not: '.repeat(depth)}{ label: a }${' }'.repeat(depth)}`
    expect(problemOf(deep(19))).toBe('')
    expect(problemOf(deep(20))).toContain("'rules.0' is nested more than 20 deep")
    expect(problemOf(deep(5_000))).toMatch(/nested/)
    const wide = `{ all: [${'{ label: a }, '.repeat(50)}] }`
    const many = `rules: [${`{ require: ${wide} }, `.repeat(4)}]`
    expect(problemsOf(many).join()).toContain('must have at most 200 conditions, found 204')
  })
})

describe('rules', () => {
  it('have names, given or by their place', () => {
    const { rules } = policyOf(
      'rules: [{ name: rule-2, require: { label: a } }, { require: { label: b }, if: { base: main } }]',
    )
    expect(rules!.map(({ name }) => name)).toEqual(['rule-2', "rule-2'"])
    expect(rules![1]!.if).toEqual({ kind: 'base', globs: ['main'] })
  })

  it('have names that nothing else has', () => {
    const named = (...names: string[]) =>
      problemsOf(`rules: [${names.map((name) => `{ name: ${name}, require: { label: a } }`).join()}]`).join()
    expect(named('a', 'a')).toContain("'rules.1.name' is there twice")
    for (const name of ['tests', 'not-held', 'criteria']) {
      expect(named(name)).toContain('must not be the name of a built-in criterion')
    }
  })

  it('have names that no check has, given or by their place', () => {
    const checks = 'checks: { lint: { run: make }, rule-2: { run: make } }\n'
    const require = 'require: { label: a }'
    expect(problemsOf(`${checks}rules: [{ name: lint, ${require} }]`)).toEqual([
      'p.yaml:2:17: \'rules.0.name\' must not be the name of a check, found the text "lint"',
    ])
    expect(problemsOf(`${checks}rules:\n  - ${require}\n  - ${require}`)).toEqual([
      "p.yaml:4:5: 'rules.1' is called rule-2 where it has no name, as a check is: give it another `name`",
    ])
    expect(problemsOf(`${checks}rules: [{ ${require} }, { name: other, ${require} }]`)).toEqual([])
  })

  it('change the digest, and their absence does not', () => {
    const digest = (text: string) => policyDigest(policyOf(text))
    expect(digest('rules: []\nmode: live')).toBe(digest(''))
    expect(digest('rules: [{ require: { label: a } }]')).not.toBe(digest(''))
    expect(digest('rules: [{ require: { label: a } }]')).toBe(
      digest('rules: [{ name: rule-1, require: [{ label: [a] }] }]'),
    )
  })
})

describe('approvals', () => {
  it('of the review are a number, or also by whom', () => {
    const review = (text: string) => policyOf(`checks: { review: { approvals: ${text} } }`).checks.review
    expect(review('2')).toMatchObject({ approvals: 2 })
    expect(review('2')).not.toHaveProperty('approvers')
    expect(review('{ count: 2, from: [ops] }')).toMatchObject({ approvals: 2, approvers: ['ops'] })
    expect(problemsOf('checks: { review: { approvals: -1 } }').join()).toContain('must be at least 0')
  })

  it('of the review may be asked for, so as the policy says', () => {
    const facts = (text: string) => policyFacts(policyOf(text), 'digest', 'base', null)
    expect(facts('checks: { review: { approvals: 1 } }')).not.toHaveProperty('askForApprovals')
    expect(facts('checks: { review: { approvals: { ask: false } } }')).not.toHaveProperty('askForApprovals')
    expect(facts('checks: { review: { approvals: { ask: true } } }').askForApprovals).toEqual({})
    const ladder = 'remindAfter: 5m, escalateAfter: 1h, escalateTo: [leads, [owners, ann]], expiresAfter: 2d'
    const asking = 'checks: { review: { approvals: { count: 2, from: [ops], ask: true } } }'
    expect(facts(`${asking}\nquestions: { approval: { ${ladder}, atExpiry: park } }`)).toMatchObject({
      approvals: 2,
      askForApprovals: {
        ...{ remindAfter: 300_000, escalateAfter: 3_600_000, expiresAfter: 172_800_000, atExpiry: 'park' },
        escalateTo: [['leads'], ['owners', 'ann']],
      },
    })
  })

  it('are asked for by nobody but people, who are given time', () => {
    expect(problemsOf('questions: { approval: { atExpiry: default } }').join()).toContain('must be fail or park')
    expect(problemsOf('questions: { approval: { expiresAfter: soon } }').join()).toContain('must be a duration')
    expect(problemsOf('questions: { aproval: {} }').join()).toContain("did you mean 'approval'?")
    expect(problemsOf('policyChange: { approvals: { ask: true } }').join()).toContain('unknown key')
  })

  it('of a change of the policy are nothing unless it says so', () => {
    expect(policyOf('')).not.toHaveProperty('policyChange')
    expect(policyOf('policyChange: { approvals: { count: 1, from: [owners] } }').policyChange).toEqual({
      count: 1,
      from: ['owners'],
    })
  })
})

describe('overrides', () => {
  const own = 'checks: { lint: { run: x }, commits: { run: y, subject: range } }'
  const rules = 'rules: [{ name: small, require: { label: ok } }, { require: { label: ok } }]'
  const overridesOf = (text: string) => policyOf(`${own}\n${rules}\n${text}`)

  it('are of rules, of parts of the review, and of checks that are no evidence of a tree', () => {
    const policy = overridesOf('overrides: { rules: [small, rule-2, commits, review/criteria], by: [owners] }')
    expect(policy.overrides).toEqual({
      ...{ rules: ['small', 'rule-2', 'commits', 'review/criteria'], by: ['owners'], count: 1 },
    })
    expect(policyFacts(policy, 'd', 'base', null).overrides).toMatchObject({ by: ['owners'], ladder: {} })
    expect(policyOf('')).not.toHaveProperty('overrides')
  })

  it.each([
    ['tests', 'what lands is what was tested'],
    ['lint', 'it is a check of the tree'],
    ['no-secrets', 'can not be overridden'],
    ['no-conflicts', 'can not be overridden'],
    ['not-draft', 'can not be overridden'],
    ['policy-change', 'can not be overridden'],
    ['review', 'must name its part'],
    ['smal', 'is no criterion that can be overridden: use review/criteria'],
  ])('are never of %s, and the place is told', (name, expected) => {
    const text = `${own}\n${rules}\noverrides: { rules: [small, ${name}], by: [owners] }`
    expect(problemsOf(text).join()).toContain(expected)
    expect(problemsOf(text).join()).toMatch(/:3:29: 'overrides\.rules\.1'/)
  })

  it('need somebody who may', () => {
    expect(problemsOf('overrides: { rules: [review/criteria], by: [] }').join()).toContain('at least one entry')
    expect(problemsOf('overrides: { rules: [review/criteria] }').join()).toContain("'overrides.by' is missing")
  })
})

describe('the mode', () => {
  it('is live unless it says dry-run', () => {
    const mode = (text: string) => policyFacts(policyOf(text), 'digest', 'base', null).mode
    expect([mode(''), mode('mode: live'), mode('mode: dry-run')]).toEqual([undefined, undefined, 'dry-run'])
    expect(problemsOf('mode: dry')).toEqual([`p.yaml:1:7: 'mode' must be live or dry-run, found the text "dry"`])
  })
})

describe('the documentation', () => {
  it('shows only what is a policy or an installation', async () => {
    const text = await readFile(new URL('../../docs/policy.md', import.meta.url), 'utf8')
    const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1]!)
    expect(examples.length).toBeGreaterThan(2)
    for (const example of examples) {
      const parsed = example.startsWith('people:')
        ? parseInstallation(example, 'example', '/')
        : parsePolicy(example, 'example')
      expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([])
    }
    const inTables = [...text.matchAll(/^\| `(?!switchyard|all:|if:)([^|]*)` \|/gm)].flatMap((match) =>
      match[1]!.split('`, `'),
    )
    expect(inTables.length).toBeGreaterThan(9)
    for (const condition of inTables) expect([condition, problemOf(`{ ${condition} }`)]).toEqual([condition, ''])
  })
})

describe('globs', () => {
  const { matchesName, matchesPath } = createRuleTools()

  test.each([
    ['docs/', 'docs/a/b.md', true],
    ['docs', 'src/docs/a.md', true],
    ['*.md', 'a/b.md', true],
    ['/docs', 'docs/a.md', true],
    ['docs/*.md', 'docs/a/b.md', false],
    ['**/.env*', 'a/.env.local', true],
    ['src/**', 'source/a.ts', false],
  ])('of paths, as in forbiddenPaths: %s, %s', (glob, path, matches) => {
    expect(matchesPath(glob, path)).toBe(matches)
  })

  test.each([
    ['size/*', 'size/small', true],
    ['size/*', 'size', false],
    ['ready', 'not-ready', false],
    ['release/*', 'release/1', true],
    ['**', '.hidden', true],
  ])('of labels and branches are of the whole name: %s, %s', (glob, name, matches) => {
    expect(matchesName(glob, name)).toBe(matches)
  })
})
