import type { CreateRefusal } from '#activities/forge/port'
import { describe, expect, test } from 'vitest'
import { server, switchyard, world, type World } from './fakes.ts'

describe('bad input ends with exit code 2 and does nothing', () => {
  test.each<[string, string[], Partial<World>, RegExp]>([
    ['an unknown command', ['pr', 'lst'], {}, /unknown command 'lst'[^]*Did you mean list/],
    ['an unknown noun', ['quue', 'show'], {}, /Did you mean queue/],
    ['an unknown flag', ['pr', 'list', '--stat', 'all'], {}, /unknown option '--stat'[^]*Did you mean --state/],
    [
      'a value that is no choice',
      ['pr', 'list', '--state', 'opne'],
      {},
      /--state is one of open, closed, merged, all, not .opne/,
    ],
    ['a missing argument', ['pr', 'view'], {}, /missing required argument 'pr'/],
    ['one argument too many', ['pr', 'view', '1', '2'], {}, /too many arguments/],
    ['a noun without a verb', ['pr'], {}, /Which command/],
    ['no number', ['pr', 'view', 'twelve'], {}, /is no pull request number/],
    ['zero', ['pr', 'view', '0'], {}, /is no pull request number/],
    [
      'a repository that is not there',
      ['pr', 'list', '--repo', 'shpo'],
      {},
      /no repository "shpo"[^]*Did you mean shop/,
    ],
    [
      'two repositories and no word',
      ['pr', 'list'],
      { repositories: ['shop', 'till'] },
      /Which repository[^]*shop, till/,
    ],
    ['no repository at all', ['pr', 'list'], { repositories: [] }, /no repository yet[^]*switchyard init/],
    ['nothing to watch', ['pr', 'watch'], { repositories: [] }, /no repository yet/],
    ['a duration that is none', ['pr', 'merge', '1', '--wait=soon'], {}, /--wait takes a duration, not "soon"/],
    ['a head that is no commit', ['pr', 'merge', '1', '--head', 'main'], {}, /"main" is no commit[^]*7 digits/],
    ['a limit that is none', ['runs', '--limit', 'many'], {}, /--limit takes a number/],
    ['a pipeline that is not there', ['runs', '--pipeline', 'mergequeue'], {}, /Did you mean mergeQueue/],
    ['a status of nothing', ['status', 'prs'], {}, /Did you mean pr\?/],
    ['changes without saying which', ['pr', 'request-changes', '1'], {}, /What is to be changed/],
    ['a comment of spaces', ['pr', 'comment', '1', '--body', '  '], {}, /The comment is empty/],
    ['logs of a queue', ['logs', 'queue:shop@main'], {}, /Only pull requests keep logs/],
    ['an actor with an escape sequence', ['pr', 'approve', '1', '--as', '\u001b[31m'], {}, /control characters/],
    [
      'a policy that does not parse',
      ['pr', 'create', '--head', 'feature'],
      { policy: 'chekcs: {}' },
      /main:\.switchyard\.yaml:1:1/,
    ],
  ])('%s', async (_, args, changes, message) => {
    const in_ = world({ server: server(), ...changes })
    const ran = await switchyard(args, in_)
    expect({ code: ran.code, stderr: ran.stderr, acts: in_.acts }).toEqual({
      code: 2,
      stderr: expect.stringMatching(message),
      acts: [],
    })
  })

  test.each<CreateRefusal>([
    'invalid-branch-name',
    'unknown-head',
    'unknown-base',
    'base-not-protected',
    'same-branch',
    'no-commits-between',
    'duplicate',
    'invalid-title',
    'invalid-body',
    'invalid-labels',
  ])('a pull request that the forge refuses as %s', async (reason) => {
    const in_ = world({ server: server(), refusal: { outcome: 'refused', reason, detail: 'because', existing: 3 } })
    const ran = await switchyard(['pr', 'create', '--head', '-f', '--json'], in_)
    expect({ code: ran.code, error: ran.error, acts: in_.acts }).toMatchObject({
      code: 2,
      error: {
        code: reason,
        message: 'because',
        details: { head: '-f', existing: 3 },
        hint: expect.stringMatching(/./),
      },
      acts: [],
    })
  })

  test('--wait needs the equals sign for its value, so a number behind it stays the PR', async () => {
    const in_ = world({ server: server({ workers: [] }) })
    expect((await switchyard(['pr', 'merge', '--wait', '1'], in_)).code).toBe(3)
  })
})
