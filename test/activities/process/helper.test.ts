import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runShortProcess, useHelper, type ShortRun } from '#activities/process/helper'

let helper: ReturnType<typeof useHelper>
beforeEach(() => (helper = useHelper()))
afterEach(() => helper.stop())

const sh = (script: string, more: Partial<ShortRun> = {}): ShortRun => ({
  command: 'sh',
  args: ['-c', script],
  cwd: tmpdir(),
  env: { PATH: process.env['PATH'] ?? '', ONLY: 'this' },
  timeout: 10_000,
  graceMs: 100,
  maxOutput: 10_000_000,
  ...more,
})
const parentOf = async () => (await runShortProcess(sh('echo $PPID'))).stdout.toString().trim()

test('a process is not our child but one of the helper', async () => {
  expect(Number(await parentOf())).not.toBe(process.pid)
})

test('output, exit code and input come through as they are', async () => {
  const result = await runShortProcess(sh('cat; echo to-stderr >&2; exit 3', { stdin: Buffer.from([0, 255, 10]) }))
  expect(result).toMatchObject({ exitCode: 3, stdout: Buffer.from([0, 255, 10]), spawnError: null })
  expect(result.stderr.toString()).toBe('to-stderr\n')
})

test('a process sees the environment that it was given and nothing else of ours', async () => {
  const { stdout } = await runShortProcess(sh('env | cut -d= -f1 | grep -v "^_$\\|^PWD$\\|^SHLVL$\\|^OLDPWD$" | sort'))
  expect(stdout.toString().trim().split('\n')).toEqual(['ONLY', 'PATH'])
})

test('many at once each get their own answer', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => runShortProcess(sh(`echo ${n}`))))
  expect(answers.map(({ stdout }) => Number(stdout.toString()))).toEqual(Array.from({ length: 20 }, (_, n) => n))
})

test('an abort kills the process and rejects with its reason', async () => {
  const stop = new AbortController()
  const running = runShortProcess(sh('sleep 60', { signal: stop.signal }))
  stop.abort(new Error('no longer wanted'))
  await expect(running).rejects.toThrow('no longer wanted')
})

test('a command that is missing is a result', async () => {
  expect(await runShortProcess(sh('', { command: '/no/such/program' }))).toMatchObject({ spawnError: 'ENOENT' })
})

test('when the helper dies, what it was running is refused and the next call gets a new one', async () => {
  const first = Number(await parentOf())
  const running = runShortProcess(sh('sleep 0.5'))
  process.kill(first, 'SIGKILL')
  await expect(running).rejects.toThrow('has ended')
  expect(Number(await parentOf())).not.toBe(first)
})

test('it goes when it is no longer used', async () => {
  const pid = Number(await parentOf())
  helper.stop()
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
