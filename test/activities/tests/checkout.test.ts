import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkOut } from '#activities/tests/checkout'
import type { CommandRunner } from '#activities/tests/port'
import { createFixture, type Fixture } from './support.ts'

let fixture: Fixture
let runner: CommandRunner
let slot: { tree: string; git: string }
const signal = new AbortController().signal

beforeAll(async () => {
  fixture = await createFixture()
  runner = fixture.runner({ slots: 1 })
  slot = { tree: join(fixture.root, 'slot', 'tree'), git: join(fixture.root, 'slot', 'git') }
})
afterAll(() => fixture.remove())

describe('a reused checkout', () => {
  test.each([
    ['a changed file', 'echo bad > a.txt'],
    ['a file of the same size and time', 'touch -r a.txt /tmp/t; echo evil > a.txt; touch -r /tmp/t a.txt'],
    ['a changed mode', 'chmod 000 a.txt'],
    ['an executable bit', 'chmod +x a.txt'],
    ['a deleted folder', 'rm -r sub'],
    ['a folder in place of a file', 'rm a.txt; mkdir -p a.txt/b'],
    ['a link in place of a folder', 'rm -r sub; ln -s /etc sub'],
    ['a closed folder', 'mkdir -p new/inner; chmod 000 new sub'],
    ['an ignored file', 'mkdir -p dist; touch dist/stale'],
    ['a repository of its own', 'mkdir -p n && cd n && git init -q . && touch x'],
  ])('is as the commit says after %s', async (_name, harm) => {
    const commit = await fixture.commit({ 'a.txt': 'good\n', 'sub/b.txt': 'b\n', '.gitignore': 'dist\n' })
    await fixture.run(runner, commit, { run: harm })
    const look = 'find . -not -path . | sort; cat a.txt sub/b.txt; test -x a.txt || echo plain'
    const { stdout } = await fixture.run(runner, commit, { run: look })
    expect(stdout).toBe('./.gitignore\n./a.txt\n./sub\n./sub/b.txt\ngood\nb\nplain\n')
  })

  test('switches to another commit', async () => {
    const one = await fixture.commit({ 'a.txt': '1', 'only-one': '' })
    const two = await fixture.commit({ 'a.txt': '2', 'only-two/x': '' })
    await checkOut(slot, fixture.gitDir, one, signal)
    await checkOut(slot, fixture.gitDir, two, signal)
    expect(await readdir(slot.tree)).toEqual(['a.txt', 'only-two'])
    expect(await readFile(join(slot.tree, 'a.txt'), 'utf8')).toBe('2')
  })

  test('goes on after a git that was killed in the middle', async () => {
    const one = await fixture.commit({ 'a.txt': '1' })
    await checkOut(slot, fixture.gitDir, one, signal)
    await writeFile(join(slot.git, 'index.lock'), '')
    await writeFile(join(slot.git, 'index'), 'half')
    await checkOut(slot, fixture.gitDir, one, signal)
    expect(await readdir(slot.tree)).toEqual(['a.txt'])
  })

  test('keeps the links of the repository as links', async () => {
    const commit = await fixture.commit({ 'a.txt': '1', link: { link: '/etc/hostname' } })
    await checkOut(slot, fixture.gitDir, commit, signal)
    expect(execFileSync('readlink', [join(slot.tree, 'link')]).toString()).toBe('/etc/hostname\n')
  })

  test('writes no object and no ref', async () => {
    await checkOut(slot, fixture.gitDir, await fixture.commit({ 'a.txt': 'again' }), signal)
    expect(await readdir(join(slot.git, 'refs'))).toEqual([])
    expect(await readdir(slot.git)).not.toContain('objects')
  })

  test('switches a few files of 1,000 in tens of milliseconds', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`d${at % 50}/f${at}.txt`, `${at}\n`]))
    const one = await fixture.commit(many)
    const two = await fixture.commit({ ...many, 'd1/f1.txt': 'other', 'd2/f2.txt': 'other' })
    await checkOut(slot, fixture.gitDir, one, signal)
    const durations: number[] = []
    for (const commit of [two, one, two, one, two]) {
      const start = performance.now()
      await checkOut(slot, fixture.gitDir, commit, signal)
      durations.push(performance.now() - start)
    }
    // The best: the others say how busy this machine is.
    expect(Math.min(...durations)).toBeLessThan(150)
  })

  test.each(['HEAD', '--help', 'main', ''])('refuses %j, which is no SHA', async (commit) => {
    await expect(checkOut(slot, fixture.gitDir, commit, signal)).rejects.toThrow('not a full SHA')
  })
})

describe('what a repository plants for git', () => {
  test('a filter in its attributes and in the git directory does not run', async () => {
    const proof = join(fixture.root, 'filter-ran')
    const commit = await fixture.commit({ '.gitattributes': '* filter=evil\n', 'a.txt': '1' })
    await checkOut(slot, fixture.gitDir, commit, signal)
    const config = `[filter "evil"]\n\tsmudge = touch ${proof}\n\tclean = touch ${proof}\n\trequired = true\n`
    for (const git of [slot.git, fixture.gitDir]) await appendFile(join(git, 'config'), config)
    await writeFile(join(slot.tree, 'a.txt'), 'changed')
    await checkOut(slot, fixture.gitDir, commit, signal)
    await expect(stat(proof)).rejects.toThrow('ENOENT')
  })

  test('a hook or a file watcher does not run', async () => {
    const proof = join(fixture.root, 'hook-ran')
    const one = await fixture.commit({ 'a.txt': 'x' })
    const script = `#!/bin/sh\ntouch ${proof}\n`
    for (const git of [slot.git, fixture.gitDir]) {
      await mkdir(join(git, 'hooks'), { recursive: true })
      for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction']) {
        await writeFile(join(git, 'hooks', hook), script, { mode: 0o755 })
      }
    }
    await writeFile(join(fixture.root, 'watch.sh'), script, { mode: 0o755 })
    await appendFile(join(slot.git, 'config'), `[core]\n\tfsmonitor = ${join(fixture.root, 'watch.sh')}\n`)
    await checkOut(slot, fixture.gitDir, one, signal)
    await expect(stat(proof)).rejects.toThrow('ENOENT')
  })

  test('a replaced object is not looked at', async () => {
    const one = await fixture.commit({ 'a.txt': 'one' })
    const two = await fixture.commit({ 'a.txt': 'two' })
    execFileSync('git', ['--git-dir', fixture.gitDir, 'replace', one, two])
    await checkOut(slot, fixture.gitDir, one, signal)
    expect(await readFile(join(slot.tree, 'a.txt'), 'utf8')).toBe('one')
  })
})
