import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { runProcess, type ProcessRun } from '#activities/process/run'

const folder = mkdtempSync(join(tmpdir(), 'switchyard-fifos-'))
const fifos = { stdout: join(folder, 'out'), stderr: join(folder, 'err') }
const paths = Object.values(fifos)

beforeEach(() => {
  for (const path of paths) rmSync(path, { force: true })
  execFileSync('mkfifo', paths)
})
afterAll(() => rmSync(folder, { recursive: true }))

function run(script: string, more: Partial<ProcessRun> = {}) {
  const fixed = { cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' }, timeout: 20_000, graceMs: 500 }
  return runProcess({ ...fixed, command: '/bin/sh', args: ['-c', script], maxOutput: 1_000_000, fifos, ...more })
}

function heldOpen(): string[] {
  const held = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return held.filter((path) => path.startsWith(folder))
}

describe('a program whose output is FIFOs', () => {
  it('can open them by name, and gives both streams apart', async () => {
    const { exitCode, stdout, stderr } = await run('echo out > /dev/stdout; echo err > /dev/stderr; exit 3')
    expect([exitCode, stdout.toString(), stderr.toString()]).toEqual([3, 'out\n', 'err\n'])
  })

  it('is not told to try again when it writes faster than we read', async () => {
    let seen = 0
    const onStdout = (chunk: Buffer) => {
      if (seen === 0) execFileSync('sleep', ['0.2'])
      seen += chunk.length
    }
    const { exitCode, stdout, truncated } = await run('exec head -c 5000000 /dev/zero', { onStdout, maxOutput: 1000 })
    expect([exitCode, stdout.length, truncated, seen]).toEqual([0, 1000, true, 5_000_000])
  })

  it('may close them early', async () => {
    expect(await run('exec >&- 2>&-; sleep 0.1; exit 4')).toMatchObject({ exitCode: 4 })
  })

  it('reads a file as its standard input', async () => {
    const file = join(folder, 'in')
    writeFileSync(file, 'a\nb\n')
    const { stdout } = await run('head -n 1 /dev/stdin; cat', { stdin: { file } })
    expect(stdout.toString()).toBe('a\na\nb\n')
  })

  it('does not keep the result back when it left another that holds them', async () => {
    const { exitCode, stdout, duration } = await run('setsid sh -c "echo \\$\\$; exec sleep 600" & sleep 0.3; exit 0')
    process.kill(Number(stdout.toString()), 'SIGKILL')
    expect([exitCode, duration < 10_000, heldOpen()]).toEqual([0, true, []])
  })
})

describe('of the FIFOs', () => {
  it.each([
    ['a program that ended', 'echo out', {}, null],
    ['one that is missing', '', { command: 'no-such-program' }, 'ENOENT'],
    ['one that can not be told its arguments', '\0', {}, 'ERR_INVALID_ARG_VALUE'],
    ['one whose input is missing', '', { stdin: { file: join(folder, 'none') } }, 'ENOENT'],
  ])('nothing is left after %s', async (_, script, more, spawnError) => {
    expect(await run(script, more)).toMatchObject({ spawnError })
    expect([heldOpen(), paths.filter((path) => existsSync(path))]).toEqual([[], []])
  })

  it('the missing is a result, and the other is not left open', async () => {
    rmSync(fifos.stderr)
    expect(await run('true')).toMatchObject({ spawnError: 'ENOENT' })
    expect(heldOpen()).toEqual([])
  })
})
