import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFixture, eventually, type Fixture } from './support.ts'

let fixture: Fixture
let commit: string
let others: ChildProcess[]

beforeEach(async () => {
  others = []
  fixture = await createFixture()
  commit = await fixture.commit({ 'a.txt': 'good\n' })
})
afterEach(async () => {
  await Promise.all(others.map(ended))
  await fixture.remove()
})

/** A worker on the same state folder whose process ids are its own, as in another container. */
function workerElsewhere(command: string): ChildProcess {
  const script = join(import.meta.dirname, 'doomed-worker.ts')
  const namespace = ['--unshare-pid', '--die-with-parent', '--dev-bind', '/', '/', '--proc', '/proc']
  const worker = [process.execPath, script, fixture.home, fixture.gitDir, commit, 'none', command]
  const other = spawn('bwrap', [...namespace, ...worker], { stdio: ['ignore', 'ignore', 'inherit'] })
  others.push(other)
  return other
}

async function ended(other: ChildProcess): Promise<number | null> {
  if (other.exitCode === null && other.signalCode === null) {
    await new Promise((done) => other.once('exit', done))
  }
  return other.exitCode
}

/** Says that it has begun, waits until it is told to go on, and tells what its tree holds by then. */
function held(name: string): { command: string; begun(): boolean; goOn(): Promise<void>; saw(): Promise<string> } {
  const path = (what: string) => join(fixture.root, `${name}.${what}`)
  return {
    command: `echo ${name} > a.txt; touch ${path('begun')}
      while ! [ -e ${path('go')} ]; do sleep 0.02; done; cat a.txt > ${path('saw')}`,
    begun: () => existsSync(path('begun')),
    goOn: () => writeFile(path('go'), ''),
    saw: () => readFile(path('saw'), 'utf8'),
  }
}

async function locks(): Promise<string[]> {
  return (await readdir(fixture.home, { recursive: true })).filter((path) => basename(path) === 'lock')
}

describe('a slot that a worker of another PID namespace holds', () => {
  test('keeps its tree and its lock when a worker starts and runs here', async () => {
    const theirs = held('theirs')
    const other = workerElsewhere(theirs.command)
    await eventually('theirs runs', theirs.begun)
    const before = await locks()
    expect(before).toHaveLength(1)

    const runner = fixture.runner({ isolation: 'none', slots: 1 })
    await runner.recover()
    expect(await locks()).toEqual(before)
    expect((await fixture.run(runner, commit, { run: 'cat a.txt' })).stdout).toBe('good\n')
    expect(await locks()).toEqual(before)

    await theirs.goOn()
    expect(await ended(other)).toBe(0)
    expect(await theirs.saw()).toBe('theirs\n')
  })

  test('is kept from it just so', async () => {
    const ours = held('ours')
    const run = fixture.run(fixture.runner({ isolation: 'none', slots: 1 }), commit, { run: ours.command })
    await eventually('ours runs', ours.begun)
    const before = await locks()
    expect(before).toHaveLength(1)

    expect(await ended(workerElsewhere('cat a.txt'))).toBe(0)
    expect(await locks()).toEqual(before)

    await ours.goOn()
    expect((await run).conclusion).toBe('passed')
    expect(await ours.saw()).toBe('ours\n')
  })
})
