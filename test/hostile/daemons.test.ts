import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, processesWith, type Fixture } from '../activities/tests/support.ts'

let fixture: Fixture
let commit: string

/** Leaves its group, its session and its parent, closes what it inherited, and forgets its environment. */
const daemon = `
import os, sys
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
for descriptor in range(3): os.close(descriptor)
os.execve('/bin/sleep', ['sleep', sys.argv[1]], {} if sys.argv[2] == 'bare' else os.environ)
`

beforeAll(async () => {
  fixture = await createFixture()
  commit = await fixture.commit({ 'daemon.py': daemon })
})
afterAll(() => fixture.remove())

const started = (mark: string) => `until ps -eo args= | grep -q '^sleep ${mark}$'; do :; done`

describe.each(['required', 'none'] as const)('with isolation "%s", what a command left behind is dead', (isolation) => {
  const run = (shell: string) => fixture.run(fixture.runner({ isolation, slots: 1 }), commit, { run: shell })

  test.each([
    ['in the background', 'sleep MARK & true'],
    ['in a session of its own', 'setsid sleep MARK & STARTED'],
    ['as a daemon', 'python3 daemon.py MARK kept; STARTED'],
    ['deaf to signals', `setsid sh -c 'trap "" TERM HUP INT; sleep MARK; sleep MARK' & STARTED`],
  ])('%s', async (_, shell) => {
    const mark = `7${isolation.length}${Math.round(performance.now())}`
    const outcome = await run(shell.replaceAll('MARK', mark).replace('STARTED', () => started(mark)))
    expect(outcome.conclusion).toBe('passed')
    expect(processesWith(`sleep ${mark}`)).toEqual([])
  })

  test('when the command fails, too', async () => {
    const mark = `8${isolation.length}77`
    expect((await run(`python3 daemon.py ${mark} kept; ${started(mark)}; exit 3`)).exitCode).toBe(3)
    expect(processesWith(`sleep ${mark}`)).toEqual([])
  })
})

test('a daemon in a sandbox is dead even when nothing in its environment tells where it came from', async () => {
  const mark = '95577'
  const shell = `python3 daemon.py ${mark} bare; ${started(mark)}`
  expect((await fixture.run(fixture.runner({ slots: 1 }), commit, { run: shell })).conclusion).toBe('passed')
  expect(processesWith(`sleep ${mark}`)).toEqual([])
})
