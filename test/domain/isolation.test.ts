import { describe, expect, test } from 'vitest'
import { isolationWarning, type Isolation } from '#domain/isolation'
import type { Policy, CommandPolicy } from '#domain/policy'

const offline: CommandPolicy = {
  run: 'npm test',
  setup: null,
  keep: null,
  timeout: 60_000,
  retries: 1,
  network: false,
  env: [],
}

const cases: [string, Isolation, Partial<CommandPolicy> | null, RegExp | null][] = [
  ['nothing isolates', { mode: 'none', network: 'shared' }, {}, /trusted code only/],
  [
    'something is not limited',
    { mode: 'bubblewrap', network: 'own', gaps: ['Files may have any size.', 'Install prlimit.'] },
    {},
    /^Files may have any size\. Install prlimit\.$/,
  ],
  [
    'the network is the host’s and setup uses it',
    { mode: 'bubblewrap', network: 'shared' },
    { setup: 'npm ci' },
    /setup/,
  ],
  [
    'the network is the host’s and the tests use it',
    { mode: 'bubblewrap', network: 'shared' },
    { network: true },
    /network/,
  ],
  ['the network is the host’s and nothing uses it', { mode: 'bubblewrap', network: 'shared' }, {}, null],
  ['the network is the host’s and there are no tests', { mode: 'bubblewrap', network: 'shared' }, null, null],
  [
    'the network is the sandbox’s own',
    { mode: 'bubblewrap', network: 'own' },
    { setup: 'npm ci', network: true },
    null,
  ],
]

describe('a decision warns of what checks can reach when', () => {
  test.each(cases)('%s', (_name, isolation, tests, expected) => {
    const policy = { checks: { tests: tests === null ? null : { ...offline, ...tests } } } as Policy
    const warning = isolationWarning(isolation, policy)
    if (expected === null) expect(warning).toBeNull()
    else expect(warning).toMatch(expected)
  })

  test('any check of the policy uses the network of the host', () => {
    const own = { lint: offline, audit: { ...offline, network: true } }
    const policy = { checks: { tests: offline, own } } as unknown as Policy
    expect(isolationWarning({ mode: 'bubblewrap', network: 'shared' }, policy)).toMatch(/network/)
  })
})
