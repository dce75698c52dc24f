import { describe, expect, it } from 'vitest'
import { defaultTimings } from '#contracts/timings'
import type { InstallationConfig } from '#config/installation'
import { parseInstallation } from '#config/installation-file'
import { formatProblem } from '#config/problems'

const defaults: InstallationConfig = {
  forge: 'local',
  repositories: [],
  ledger: 'sqlite',
  isolation: 'required',
  watch: { every: 30_000, review: 300_000 },
  people: [],
  timings: { ...defaultTimings, sweep: 30_000 },
}

function configOf(text: string): InstallationConfig {
  const parsed = parseInstallation(text, 's.yaml', '/home/me/switchyard')
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.config
}

function problemsOf(text: string): string[] {
  const parsed = parseInstallation(text, 's.yaml', '/home/me/switchyard')
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

describe('an installation file that is good', () => {
  it('has every default when it is empty', () => {
    expect(configOf('')).toEqual(defaults)
  })

  it('is the example of the design', () => {
    const text = `
forge: local
repositories:
  - { name: shop, remote: forge/shop.git }
ledger: sqlite
isolation: required
watch: { every: 30s, review: 5m }
people: []
`
    expect(configOf(text)).toEqual({
      ...defaults,
      repositories: [{ name: 'shop', remote: '/home/me/switchyard/forge/shop.git' }],
    })
  })

  it.each([
    'postgres://host/db',
    'postgresql://me@host:5432/db?sslmode=verify-full',
    'postgres://me:p%2Fw@/db?host=/run/postgresql',
  ])('keeps the ledger in PostgreSQL: %s', (ledger) => {
    expect(configOf(`ledger: ${ledger}`).ledger).toBe(ledger)
  })

  it('keeps an absolute remote', () => {
    expect(configOf('repositories: [{ name: a, remote: /srv/a.git }]').repositories[0]?.remote).toBe('/srv/a.git')
  })

  it('sweeps as often as watch.every says', () => {
    expect(configOf('watch: { every: 10s }').timings).toEqual({ ...defaultTimings, sweep: 10_000 })
  })

  it('takes single timings over everything else', () => {
    const { timings } = configOf('watch: { every: 10s }\ntimings: { sweep: 200ms, heartbeat: 1s }')
    expect(timings).toEqual({ ...defaultTimings, sweep: 200, heartbeat: 1_000 })
  })

  it('knows people by name, login, address and group', () => {
    const bob = '{ name: bob, login: bob-hub, email: bob@example.org, groups: [core] }'
    expect(configOf(`people: [ann, ${bob}]`).people).toEqual([
      { name: 'ann', login: null, email: null, groups: [], notify: [], hours: null },
      { name: 'bob', login: 'bob-hub', email: 'bob@example.org', groups: ['core'], notify: [], hours: null },
    ])
  })

  it.each([
    ['people: [ann, { name: bob, login: Ann }]', "1:15: 'people.1' is there twice, by name, login or address"],
    ['people: [ann, { name: bob, groups: [Ann] }]', "1:10: 'people.0' has the name of a group"],
    ['people: [{ name: bob, login: core, groups: [core] }]', "1:10: 'people.0' has the name of a group"],
    ["people: [{ name: '' }]", "1:18: 'people.0.name' must be a name that is not empty, found empty text"],
    ['people: [{ name: bob, email: nowhere }]', "1:30: 'people.0.email' must be an address such as ann@example.org"],
  ])('refuses %s', (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)])
  })
})

describe('an installation file that is bad', () => {
  const path = 'must be the path of a bare repository on this machine'
  const name = 'must be a name of letters, digits, dots, dashes and underscores that starts with a letter or digit'
  it.each<[string, string, string[]]>([
    ['GitHub', 'forge: github', ["s.yaml:1:8: 'forge' is github, which is not yet supported in this build; use local"]],
    ['an unknown forge', 'forge: gitlab', [`s.yaml:1:8: 'forge' must be local, found the text "gitlab"`]],
    [
      'a ledger that is nothing known, without a password that may be in it',
      'ledger: postgres://me:p/w@host/db',
      [
        "s.yaml:1:9: 'ledger' is neither sqlite nor an address such as postgres://user@host:5432/database " +
          '(in its parts / is written as %2F, @ as %40, # as %23, ? as %3F, % as %25)',
      ],
    ],
    ...['me:p%zzw@host', 'me:p%ffw@host', 'me:p#w@host', 'me:p?w@host', 'host:port', 'host:99999'].map(
      (place): [string, string, string[]] => [
        `a ledger that no driver could read, at ${place}`,
        `ledger: 'postgres://${place}/db'`,
        [expect.stringMatching(/^s\.yaml:1:9: 'ledger' is neither sqlite [^']* % as %25\)$/) as string],
      ],
    ),
    [
      'a ledger whose parameters have a part that no server is sent',
      'ledger: postgres://host/db?sslmode=require#rest',
      [expect.stringContaining("s.yaml:1:9: 'ledger' is neither") as string],
    ],
    [
      'a ledger without a database',
      'ledger: postgres://me@host',
      [expect.stringContaining("s.yaml:1:9: 'ledger' is neither") as string],
    ],
    [
      'an unknown key',
      'repos: []',
      [
        "s.yaml:1:1: unknown key 'repos' (known keys: $schema, forge, repositories, ledger, isolation, watch, people, timings)",
      ],
    ],
    [
      'an unknown timing',
      'timings:\n  heartbeats: 1s',
      ["s.yaml:2:3: unknown key 'timings.heartbeats' (did you mean 'heartbeat'?)"],
    ],
    [
      'a repository without a remote',
      'repositories:\n  - name: a',
      [`s.yaml:2:5: 'repositories.0.remote' is missing: it ${path}`],
    ],
    [
      'a name that is a path',
      "repositories: [{ name: '../a', remote: a }]",
      [`s.yaml:1:24: 'repositories.0.name' ${name}, found the text "../a"`],
    ],
    [
      'a name twice, but for case',
      'repositories:\n  - { name: shop, remote: a }\n  - { name: Shop, remote: b }',
      ["s.yaml:3:13: 'repositories.1.name' is there twice"],
    ],
    ...['https://host/a.git', 'git@host:a.git', 'ext::sh -c x', '--upload-pack=x', '~/a.git'].map(
      (remote): [string, string, string[]] => [
        `the remote ${remote}`,
        `repositories: [{ name: a, remote: '${remote}' }]`,
        [`s.yaml:1:35: 'repositories.0.remote' ${path}, found the text "${remote}"`],
      ],
    ),
    [
      'an isolation that nobody knows',
      'isolation: some',
      [`s.yaml:1:12: 'isolation' must be required or none, found the text "some"`],
    ],
    [
      'a sweep that never rests',
      'watch: { every: 0s }',
      [`s.yaml:1:17: 'watch.every' must be a duration between 1ms and 1d, found the text "0s"`],
    ],
  ])('is refused with its place: %s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })
})
