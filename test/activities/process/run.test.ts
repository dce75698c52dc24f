import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { groupRuns } from '#activities/process/group'
import { runProcess, type ProcessRun } from '#activities/process/run'

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' }

function run(args: string[], more: Partial<ProcessRun> = {}) {
  const fixed = { command: '/bin/sh', cwd: tmpdir(), env, timeout: 20_000, graceMs: 500, maxOutput: 1_000_000 }
  return runProcess({ ...fixed, args, ...more })
}

const shell = (script: string, more: Partial<ProcessRun> = {}) => run(['-c', script], more)

async function waitUntil(condition: () => boolean): Promise<boolean> {
  const until = Date.now() + 5_000
  while (!condition() && Date.now() < until) await new Promise((done) => setTimeout(done, 10))
  return condition()
}

describe('a program that ends', () => {
  it('gives exit code and both streams', async () => {
    const { exitCode, stdout, stderr } = await shell('echo out; echo err >&2; exit 3')
    expect([exitCode, stdout.toString(), stderr.toString()]).toEqual([3, 'out\n', 'err\n'])
  })

  it('gets the arguments as they are, without a shell', async () => {
    const args = ['%s\n', '$(id)', '; ls', '*', 'a b']
    const { stdout } = await run(args, { command: 'printf' })
    expect(stdout.toString()).toBe('$(id)\n; ls\n*\na b\n')
  })

  it('gets the environment it was given and nothing else', async () => {
    const { stdout } = await run([], { command: 'env', env: { ...env, ONLY: 'this' } })
    expect(
      stdout
        .toString()
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0])
        .sort(),
    ).toEqual(['ONLY', 'PATH'])
  })

  it('reads its standard input', async () => {
    const input = 'x'.repeat(300_000)
    expect((await run([], { command: 'cat', stdin: input })).stdout.toString()).toBe(input)
  })

  it('may leave its standard input unread', async () => {
    expect((await shell('exit 0', { stdin: 'x'.repeat(1_000_000) })).exitCode).toBe(0)
  })

  it('tells the signal that ended it', async () => {
    const { exitCode, signal } = await shell('kill -9 $$')
    expect([exitCode, signal]).toEqual([null, 'SIGKILL'])
  })

  it('leaves no process of its group behind', async () => {
    let group = 0
    const { exitCode } = await shell('sleep 600 & exit 0', { onSpawn: (pid) => (group = pid) })
    expect([exitCode, groupRuns(group)]).toEqual([0, false])
  })
})

describe('a program that can not be started', () => {
  it('is a result when it is missing', async () => {
    expect((await run([], { command: 'no-such-program' })).spawnError).toBe('ENOENT')
  })

  it('is a result when an argument has a NUL', async () => {
    expect((await run(['a\0b'])).spawnError).toBe('ERR_INVALID_ARG_VALUE')
  })
})

describe('output over the limit', () => {
  it('is dropped while the program goes on to its end', async () => {
    const { exitCode, stdout, truncated } = await shell('head -c 5000000 /dev/zero; exit 4', { maxOutput: 1000 })
    expect([exitCode, stdout.length, truncated]).toEqual([4, 1000, true])
  })

  it('still reaches the listener', async () => {
    let seen = 0
    await shell('head -c 5000000 /dev/zero', { maxOutput: 10, onStdout: (chunk) => (seen += chunk.length) })
    expect(seen).toBe(5_000_000)
  })
})

describe('a time limit', () => {
  it('ends a program with TERM', async () => {
    const { timedOut, signal } = await shell('sleep 600', { timeout: 100 })
    expect([timedOut, signal]).toEqual([true, 'SIGTERM'])
  })

  it('ends a program that ignores TERM with KILL', async () => {
    const { timedOut, signal } = await shell('trap "" TERM; while :; do sleep 1; done', { timeout: 300, graceMs: 100 })
    expect([timedOut, signal]).toEqual([true, 'SIGKILL'])
  })

  it('ends its children that ignore TERM too', async () => {
    let group = 0
    const script = '(trap "" TERM; while :; do sleep 1; done) & sleep 600'
    await shell(script, { timeout: 300, graceMs: 100, onSpawn: (pid) => (group = pid) })
    expect(groupRuns(group)).toBe(false)
  })

  it('lets a child clean up within the grace although its parent is gone', async () => {
    const script = `(trap 'sleep 0.1; echo cleaned; exit 0' TERM; while :; do sleep 0.02; done) & trap 'exit 1' TERM; wait`
    const { stdout } = await shell(script, { timeout: 300, graceMs: 5_000 })
    expect(stdout.toString()).toBe('cleaned\n')
  })
})

describe('an abort', () => {
  it('rejects with its reason once the group is dead', async () => {
    const abort = new AbortController()
    const reason = new Error('cancelled')
    let group = 0
    const running = shell('echo ready; (trap "" TERM; while :; do sleep 1; done) & sleep 600', {
      signal: abort.signal,
      graceMs: 100,
      onSpawn: (pid) => (group = pid),
      onStdout: () => abort.abort(reason),
    })
    await expect(running).rejects.toBe(reason)
    expect(groupRuns(group)).toBe(false)
  })

  it('before the start keeps the program from running', async () => {
    let spawned = false
    const signal = AbortSignal.abort(new Error('early'))
    await expect(shell('true', { signal, onSpawn: () => (spawned = true) })).rejects.toThrow('early')
    expect(spawned).toBe(false)
  })
})

describe('a process that left the group and holds the output open', () => {
  it('does not keep the result back', async () => {
    let escaped = 0
    const script = 'setsid sh -c "echo \\$\\$; exec sleep 600" & sleep 0.3; exit 0'
    const { exitCode, duration, stdout } = await shell(script)
    escaped = Number(stdout.toString())
    process.kill(escaped, 'SIGKILL')
    expect([exitCode, duration < 10_000]).toEqual([0, true])
    expect(await waitUntil(() => !groupRuns(escaped))).toBe(true)
  })
})
