import { existsSync } from 'node:fs'
import { appendFile, chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchInto, importBranch, openRepository } from '#activities/git/repository'
import { GitError, runGit } from '#activities/git/run'
import type { GitRepository } from '#activities/git/port'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'
import { collect } from './collect.ts'

let sample: SampleRepository
let git: GitRepository
let bare: string
let root: string

beforeEach(async () => {
  sample = await createSampleRepository()
  bare = await sample.createBare()
  root = await importBranch(bare, sample.path, 'main')
  git = openRepository(bare)
})
afterEach(() => sample.remove())

describe('revisions', () => {
  it.each([
    'main',
    '-f',
    '--upload-pack=x',
    'HEAD',
    'f00',
    `${'a'.repeat(40)}^`,
    'A'.repeat(40),
    '',
    'refs/heads/main',
  ])('refuses %j where a SHA belongs', async (revision) => {
    const calls = [
      () => git.treeOf(revision),
      () => git.commit(revision),
      () => git.mergeTree(revision, root),
      () => git.mergeBase(root, revision),
      () => git.isAncestor(revision, root),
      () => git.commits(root, revision),
      () => git.changedPaths(revision, root),
      () => git.changedFiles(revision, root),
      () => git.diff(revision, root, 10),
      () => collect(git.additions({ commits: [revision] })),
      () => collect(git.additions({ from: root, to: revision, findRenames: false })),
      () => git.readFile(revision, 'README.md', 10),
      () => git.readBlob(revision, 10),
      () => git.updateRefs([{ ref: 'refs/heads/main', from: root, to: revision }]),
    ]
    const refusals = await Promise.allSettled(calls.map((call) => call()))
    expect(refusals.filter(({ status }) => status === 'fulfilled')).toEqual([])
  })

  it.each([
    'main',
    '-f',
    'refs/heads/-f',
    'refs/heads/../x',
    'refs/heads/a b',
    'refs/heads/a\nb',
    'refs/heads/*',
    'HEAD',
  ])('refuses %j where a full ref belongs', async (ref) => {
    await expect(git.resolve(ref)).rejects.toMatchObject({ name: 'GitError', exitCode: null })
    await expect(git.updateRefs([{ ref, from: null, to: root }])).rejects.toMatchObject({ exitCode: null })
  })

  it('refuses to import a branch called -f', async () => {
    await expect(importBranch(bare, sample.path, '-f')).rejects.toThrow('starts with "-"')
  })
})

describe('a command planted in a repository', () => {
  let canary: string
  let command: string

  beforeEach(async () => {
    canary = join(sample.path, '..', 'canary')
    command = join(sample.path, '..', 'planted.sh')
    await writeFile(command, `#!/bin/sh\ntouch ${canary}\nexit 0\n`)
    await chmod(command, 0o755)
    const hooks = join(bare, 'hooks')
    await mkdir(hooks, { recursive: true })
    for (const hook of [
      'reference-transaction',
      'post-receive',
      'pre-receive',
      'update',
      'post-checkout',
      'post-merge',
    ]) {
      await writeFile(join(hooks, hook), `#!/bin/sh\ntouch ${canary}\n`)
      await chmod(join(hooks, hook), 0o755)
    }
    await mkdir(join(bare, 'info'), { recursive: true })
    await writeFile(join(bare, 'info', 'attributes'), '* filter=x diff=x merge=x\n')
    const config = [
      `[core]\n\thooksPath = ${hooks}\n\tfsmonitor = ${command}\n\tsshCommand = ${command}\n\tpager = ${command}`,
      `[filter "x"]\n\tclean = ${command}\n\tsmudge = ${command}\n\tprocess = ${command}\n\trequired = true`,
      `[diff "x"]\n\tcommand = ${command}\n\ttextconv = ${command}`,
      `[diff]\n\texternal = ${command}`,
      `[merge "x"]\n\tdriver = ${command}`,
      `[merge]\n\tdefault = x`,
      `[gpg]\n\tprogram = ${command}`,
      `[log]\n\tshowSignature = true`,
      `[commit]\n\tgpgSign = true`,
      `[uploadpack]\n\tpackObjectsHook = ${command}`,
      `[credential]\n\thelper = ${command}`,
    ]
    await appendFile(join(bare, 'config'), `${config.join('\n')}\n`)
  })

  it('never runs, whatever is done with it', async () => {
    const left = await sample.commit({ files: { 'README.md': 'left\n', a: 'a\n' }, message: 'l', branch: 'left' })
    const right = await sample.commit({ files: { 'README.md': 'right\n' }, message: 'r', branch: 'right', from: root })
    await importBranch(bare, sample.path, 'left')
    await fetchInto(bare, sample.gitDir, [right])
    const merged = await git.mergeTree(left, right)
    await git.diff(root, left, 1e6)
    await collect(git.additions({ commits: [left] }))
    await git.changedFiles(root, left)
    await git.commits(root, left)
    await git.commit(left)
    await git.readFile(left, 'README.md', 1e6)
    await git.refs('refs/heads/')
    const person = { name: 'a', email: 'b', at: '2026-01-01T00:00:00Z' }
    const made = await git.commitTree({
      tree: await git.treeOf(left),
      parents: [root],
      message: 'm',
      author: person,
      committer: person,
    })
    await git.updateRefs([{ ref: 'refs/heads/main', from: root, to: made }])
    await fetchInto(await sample.createBare(), bare, [made])
    expect([existsSync(canary), merged]).toEqual([false, { outcome: 'conflict', paths: ['README.md'] }])
  })
})

describe('what outsiders can push', () => {
  it('does not replace an object by refs/replace', async () => {
    const next = await sample.commit({ files: { evil: 'x' }, message: 'evil' })
    await fetchInto(bare, sample.gitDir, [next])
    await git.updateRefs([{ ref: `refs/replace/${root}`, from: null, to: next }])
    expect(await git.changedPaths(root, root)).toEqual([])
    expect((await git.commit(root)).subject).toBe('add a readme')
  })

  it('may have names that are not UTF-8', async () => {
    const name = Buffer.from([0x62, 0xe9, 0x2e, 0x74])
    const blob = await sample.git('rev-parse', `${root}:README.md`)
    const listing = Buffer.concat([Buffer.from(`100644 blob ${blob}\t`), name, Buffer.from('\0')])
    const objects = join(sample.gitDir, 'objects')
    const made = await runGit({ objects, args: ['mktree', '-z'], stdin: listing })
    const tree = made.stdout.toString().trim()
    const commit = await sample.git('commit-tree', '-p', root, '-m', 'odd', tree)
    const own = openRepository(sample.gitDir)
    expect(await own.changedPaths(root, commit)).toEqual(['README.md', 'b\ufffd.t'])
    expect(await collect(own.additions({ commits: [commit] }))).toMatchObject([
      { path: 'b\ufffd.t', text: '# Sample\n' },
    ])
    expect((await own.changedFiles(root, commit)).map(({ path }) => path)).toEqual(['b\ufffd.t'])
  })

  it('may have a branch with quotes, dollar signs and semicolons', async () => {
    const name = 'refs/heads/$(touch);\'`"&|'
    await git.updateRefs([{ ref: name, from: null, to: root }])
    expect(await git.resolve(name)).toBe(root)
  })
})

describe('an error', () => {
  it('shows no credentials of a URL', () => {
    const error = new GitError(['fetch', 'https://me:s3cret@host/x'], 128, 'fatal: https://me:s3cret@host/x')
    expect(JSON.stringify([error.message, error.args, error.stderr])).not.toContain('s3cret')
  })

  it('refuses an ext:: URL', async () => {
    await expect(runGit({ gitDir: bare, args: ['fetch', 'ext::sh -c true'] })).rejects.toThrow("'ext' not allowed")
  })
})
