import { readdirSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, type Fixture } from './support.ts'

const secret = 'standard-stream-7c1e'
let fixture: Fixture
let commit: string

beforeAll(async () => {
  fixture = await createFixture()
  commit = await fixture.commit({ 'readme.md': 'hello\n' })
})
afterAll(() => fixture.remove())

describe.each(['required', 'none'] as const)('with isolation: %s, a command', (isolation) => {
  const run = (shell: string, more: Parameters<Fixture['run']>[2] = {}, rest = {}) => {
    const env = { ...process.env, TOKEN: secret }
    return fixture.run(fixture.runner({ isolation, env }), commit, { run: shell, ...more }, rest)
  }

  test('can open its standard streams by name', async () => {
    const shell = 'echo one > /dev/stderr && echo two > /dev/stdout && echo three | tee /dev/stderr && echo four >&2'
    const { conclusion, stdout, text } = await run(shell)
    expect({ conclusion, stdout }).toEqual({ conclusion: 'passed', stdout: 'two\nthree\n' })
    expect(text.split('\n').slice(1).toSorted()).toEqual(['', 'four', 'one', 'three', 'three', 'two'])
  })

  test('can do so in its setup and with the network, too', async () => {
    const { conclusion, text } = await run('echo checked > /dev/stderr', {
      setup: 'echo made > /dev/stderr',
      network: true,
    })
    expect(conclusion).toBe('passed')
    expect(text).toContain('\nmade\n')
    expect(text).toContain('\nchecked\n')
  })

  test('has what it says there masked', async () => {
    const { text } = await run('echo "$TOKEN" | tee /dev/stderr', { env: ['TOKEN'] })
    expect(text).not.toContain(secret)
    expect(text.match(/\*\*\*/g)).toHaveLength(2)
  })

  test('can read its standard input by name, more than once', async () => {
    const { conclusion, stdout } = await run(
      'sleep 0.1; head -n 1 /dev/stdin; cat > /dev/null; cat /dev/stdin',
      {},
      { stdin: 'a\nb\n' },
    )
    expect({ conclusion, stdout: stdout.slice(0, 2) }).toEqual({ conclusion: 'passed', stdout: 'a\n' })
  })

  test('has no standard input unless it is given one', async () => {
    expect(await run('cat; cat /dev/stdin')).toMatchObject({ conclusion: 'passed', stdout: '' })
  })

  test('leaves no descriptor open', async () => {
    await run('true')
    const before = descriptors()
    for (const shell of ['echo out', 'exec >&- 2>&-', 'no-such-program', 'kill -9 $$']) await run(shell)
    expect(descriptors()).toEqual(before)
  })
})

test('each of many commands in a slot has new streams', async () => {
  const runner = fixture.runner({ isolation: 'none', slots: 1 })
  for (let count = 0; count < 20; count += 1) {
    const { stdout, text } = await fixture.run(runner, commit, { run: 'cat; echo err >&2' }, { stdin: `${count}\n` })
    expect([stdout, text.split('\n').slice(1).toSorted()]).toEqual([`${count}\n`, ['', String(count), 'err']])
  }
})

/** What this process holds open below the fixture: files, and FIFOs whose name is gone. */
function descriptors(): string[] {
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
  return open.filter((path) => path.startsWith(fixture.root)).toSorted()
}
