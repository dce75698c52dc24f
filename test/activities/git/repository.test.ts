import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRepository } from '#activities/git/repository'
import type { GitRepository } from '#activities/git/port'
import { createSampleRepository, sampleAuthor, type SampleRepository } from '../../support/repositories.ts'
import { collect } from './collect.ts'
import { longestStretch } from './stretch.ts'

let sample: SampleRepository
let git: GitRepository
let root: string

beforeEach(async () => {
  sample = await createSampleRepository()
  git = openRepository(sample.gitDir)
  root = await sample.sha('main')
})
afterEach(() => sample.remove())

const unknown = 'f'.repeat(40)

describe('refs', () => {
  it('resolves a full ref to its commit', async () => {
    expect(await git.resolve('refs/heads/main')).toBe(root)
  })

  it('resolves an annotated tag to the commit that it tags', async () => {
    await sample.git('tag', '--annotate', '--message', 'one', 'v1', root)
    expect(await git.resolve('refs/tags/v1')).toBe(root)
  })

  it('answers null for a ref that is missing', async () => {
    expect(await git.resolve('refs/heads/missing')).toBeNull()
  })

  it('does not take refs/heads/refs/heads/x for refs/heads/x', async () => {
    await sample.branch('refs/heads/x', root)
    expect(await git.resolve('refs/heads/x')).toBeNull()
  })

  it('does not take refs/heads/x/y for refs/heads/x', async () => {
    await sample.branch('x/y', root)
    expect(await git.resolve('refs/heads/x')).toBeNull()
  })

  it('lists refs below a prefix by full name', async () => {
    await sample.branch('dependabot/npm/@types/node', root)
    await sample.branch('fix/#12', root)
    await sample.branch('grün', root)
    expect([...(await git.refs('refs/heads/')).keys()].sort()).toEqual(
      ['main', 'dependabot/npm/@types/node', 'fix/#12', 'grün'].map((name) => `refs/heads/${name}`).sort(),
    )
  })
})

describe('history', () => {
  it('finds the merge base', async () => {
    const left = await sample.commit({ files: { a: '1' }, message: 'left', branch: 'left' })
    const right = await sample.commit({ files: { b: '1' }, message: 'right', branch: 'right' })
    expect(await git.mergeBase(left, right)).toBe(root)
  })

  it('answers null where there is no merge base', async () => {
    const tree = await git.treeOf(root)
    const orphan = await sample.git('commit-tree', '-m', 'orphan', tree)
    expect(await git.mergeBase(root, orphan)).toBeNull()
  })

  it('tells an ancestor from a descendant', async () => {
    const next = await sample.commit({ files: { a: '1' }, message: 'next' })
    expect([await git.isAncestor(root, next), await git.isAncestor(next, root)]).toEqual([true, false])
  })

  it('reads a commit with its whole message', async () => {
    const message = 'Größer\n\nbody\n\nSwitchyard-Run: pr:shop#1'
    const next = await sample.commit({ files: { a: '1' }, message })
    expect(await git.commit(next)).toEqual({
      sha: next,
      tree: await sample.sha(`${next}^{tree}`),
      parents: [root],
      author: sampleAuthor,
      at: '2026-01-01T00:02:00.000Z',
      committedAt: '2026-01-01T00:02:00.000Z',
      subject: 'Größer',
      message: `${message}\n`,
    })
  })

  it('lists the commits between, oldest first', async () => {
    const one = await sample.commit({ files: { a: '1' }, message: 'one' })
    const two = await sample.commit({ files: { a: '2' }, message: 'two' })
    expect((await git.commits(root, two)).map(({ sha }) => sha)).toEqual([one, two])
  })

  it('lists no commits between a commit and itself', async () => {
    expect(await git.commits(root, root)).toEqual([])
  })

  it('throws for a commit that is missing', async () => {
    await expect(git.commit(unknown)).rejects.toMatchObject({ name: 'GitError', exitCode: 128 })
  })
})

describe('differences', () => {
  it('names changed, added and removed paths as they are', async () => {
    const names = ['a b.txt', 'quo"te', 'tab\there', 'new\nline', 'grün', 'sub/deep']
    const files = Object.fromEntries(names.map((name) => [name, 'x\n']))
    const next = await sample.commit({ files: { ...files, 'README.md': null }, message: 'names' })
    expect((await git.changedPaths(root, next)).sort()).toEqual([...names, 'README.md'].sort())
  })

  it('cuts a diff at the limit and says so', async () => {
    const next = await sample.commit({ files: { a: 'x\n'.repeat(5000) }, message: 'long' })
    const { text, truncated } = await git.diff(root, next, 1000)
    expect([text.length, truncated]).toEqual([1000, true])
  })

  it('gives a short diff whole', async () => {
    const next = await sample.commit({ files: { a: 'x\n' }, message: 'short' })
    const { text, truncated } = await git.diff(root, next, 10_000)
    expect([text.endsWith('+++ b/a\n@@ -0,0 +1 @@\n+x\n'), truncated]).toEqual([true, false])
  })

  it('lists changed files with size and blob, without deletions', async () => {
    const files = { a: 'four', 'b b': Buffer.from([0, 1, 2]), 'README.md': null }
    const next = await sample.commit({ files, message: 'files' })
    expect(await git.changedFiles(root, next)).toEqual([
      { commit: next, path: 'a', size: 4, binary: false, blob: await sample.sha(`${next}:a`) },
      { commit: next, path: 'b b', size: 3, binary: true, blob: await sample.sha(`${next}:b b`) },
    ])
  })

  it('counts the lines that are added and removed, of a binary file none', async () => {
    const before = await sample.commit({ files: { 'a b.txt': '1\n2\n3\n', 'new\nline': 'x\n' }, message: 'before' })
    const files = { 'a b.txt': '1\ntwo\n3\n4\n', 'new\nline': null, 'image.bin': Buffer.from([0, 10, 0, 10]) }
    const after = await sample.commit({ files, message: 'after' })
    expect(await git.changedLines(before, after)).toBe(4)
    expect(await git.changedLines(after, after)).toBe(0)
  })

  it('leaves submodules out of the changed files', async () => {
    await sample.git('update-index', '--add', '--cacheinfo', `160000,${root},module`)
    await sample.git('commit', '--quiet', '--message', 'module')
    expect(await git.changedFiles(root, await sample.sha('HEAD'))).toEqual([])
  })

  it('copes with 1,000 files', async () => {
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`f/${index}`, `${index}\n`]))
    const next = await sample.commit({ files, message: 'many' })
    const counts = [
      (await git.changedPaths(root, next)).length,
      (await git.changedFiles(root, next)).length,
      (await linesOf(next)).length,
    ]
    expect(counts).toEqual([1000, 1000, 1000])
  })
})

describe('added lines', () => {
  it('come from a root commit too', async () => {
    expect(await linesOf(root)).toEqual([{ path: 'README.md', line: 1, text: '# Sample' }])
  })

  it('are numbered in the new file', async () => {
    await sample.commit({ files: { a: '1\n2\n3\n4\n' }, message: 'one' })
    const next = await sample.commit({ files: { a: '1\ntwo\n3\n4\nfive\n' }, message: 'two' })
    expect(await linesOf(next)).toEqual([
      { path: 'a', line: 2, text: 'two' },
      { path: 'a', line: 5, text: 'five' },
    ])
  })

  it('may look like headers of a patch', async () => {
    await sample.commit({ files: { a: '-- a/x\n@@ -1 +1 @@\n' }, message: 'one' })
    const next = await sample.commit({ files: { a: '++ b/other\ndiff --git a/x b/x\n@@ -1 +1 @@\n' }, message: 'two' })
    expect(await linesOf(next)).toEqual([
      { path: 'a', line: 1, text: '++ b/other' },
      { path: 'a', line: 2, text: 'diff --git a/x b/x' },
    ])
  })

  it('may lack the last newline', async () => {
    await sample.commit({ files: { a: 'one' }, message: 'one' })
    const next = await sample.commit({ files: { a: 'two' }, message: 'two' })
    expect(await linesOf(next)).toEqual([{ path: 'a', line: 1, text: 'two' }])
  })

  it('belong to names that git quotes', async () => {
    const names = ['quo"te', 'tab\there', 'new\nline', 'grün', 'a b', 'back\\slash', 'b/b']
    const files = Object.fromEntries(names.map((name) => [name, 'x\n']))
    const next = await sample.commit({ files, message: 'names' })
    expect((await linesOf(next)).map(({ path }) => path).sort()).toEqual([...names].sort())
  })

  it('of a merge commit are those against its first parent', async () => {
    await sample.commit({ files: { side: 'side\n' }, message: 'side', branch: 'side' })
    await sample.commit({ files: { trunk: 'trunk\n' }, message: 'trunk', branch: 'main' })
    const merge = await sample.merge('main', 'side')
    expect(await linesOf(merge)).toEqual([{ path: 'side', line: 1, text: 'side' }])
  })

  it('of a binary file are a blob with its size', async () => {
    const next = await sample.commit({ files: { b: Buffer.from('a\0b\nsecret\n') }, message: 'binary' })
    const blob = await sample.sha(`${next}:b`)
    expect(await collect(git.additions({ commits: [next] }))).toEqual([
      { kind: 'binary', commit: next, path: 'b', blob, size: 11 },
    ])
  })

  it('of a text that replaces binary content are a blob too', async () => {
    await sample.commit({ files: { 'b b': Buffer.from('a\0b\n') }, message: 'binary' })
    const next = await sample.commit({ files: { 'b b': 'now\ntext' }, message: 'text' })
    expect(await collect(git.additions({ commits: [next] }))).toMatchObject([{ kind: 'binary', path: 'b b', size: 8 }])
  })

  it('that are not UTF-8 are read with replacement', async () => {
    const next = await sample.commit({ files: { a: Buffer.from([0xe9, 0x0a]) }, message: 'latin' })
    expect(await linesOf(next)).toEqual([{ path: 'a', line: 1, text: '\ufffd' }])
  })

  it('of several commits name their commit', async () => {
    const one = await sample.commit({ files: { a: '1\n' }, message: 'one' })
    const none = await sample.commit({ files: {}, message: 'none' })
    const two = await sample.commit({ files: { a: '1\n2\n' }, message: 'two' })
    const texts = await collect(git.additions({ commits: [one, none, two] }))
    expect(texts).toMatchObject([
      { commit: one, text: '1\n' },
      { commit: two, text: '2\n' },
    ])
  })

  it('of a long file come in pieces that overlap, with the right line numbers', async () => {
    const lines = Array.from({ length: 40_000 }, (_, index) => `line ${index + 1}`)
    const next = await sample.commit({ files: { a: `${lines.join('\n')}\n` }, message: 'long' })
    const pieces = (await collect(git.additions({ commits: [next] }))).filter(({ kind }) => kind === 'text')
    const seen = new Set<string>()
    for (const piece of pieces) {
      if (piece.kind !== 'text') continue
      for (const match of piece.text.matchAll(/(?<=\n)line (\d+)(?=\n)/g)) {
        if (piece.lineAt(match.index) !== Number(match[1])) throw new Error(`${match[0]} has the wrong number`)
        seen.add(match[0])
      }
    }
    expect([pieces.length > 3, seen.size]).toEqual([true, 39_999])
  })

  it('of a line that is longer than a piece are complete', async () => {
    const line = `${'x'.repeat(79 * 1024)}${'0123456789'.repeat(500)}${'y'.repeat(100_000)}`
    const next = await sample.commit({ files: { a: line }, message: 'long' })
    const pieces = await collect(git.additions({ commits: [next] }))
    expect(
      pieces.filter((piece) => piece.kind === 'text' && piece.text.includes('0123456789'.repeat(500))),
    ).toHaveLength(1)
  })

  it('of a hostile patch never hold the process up', { timeout: 60_000 }, async () => {
    const next = await sample.commit({ files: { a: '\n'.repeat(2_000_000) }, message: 'empty lines' })
    const take = () => collect(git.additions({ commits: [next] }))
    expect(await longestStretch(take, 200)).toBeLessThan(200)
  })

  it('end with git when nobody wants more', async () => {
    const next = await sample.commit({ files: { a: 'line\n'.repeat(1_000_000) }, message: 'long' })
    for await (const piece of git.additions({ commits: [next] })) {
      expect(piece.path).toBe('a')
      break
    }
    const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8').catch(() => '')
    expect(children).toBe('')
  })

  it('end when they are aborted', async () => {
    const next = await sample.commit({ files: { a: 'line\n'.repeat(1_000_000) }, message: 'long' })
    const controller = new AbortController()
    const take = async () => {
      for await (const _ of git.additions({ commits: [next] }, controller.signal)) controller.abort(new Error('enough'))
    }
    await expect(take()).rejects.toThrow('enough')
  })
})

async function linesOf(commit: string) {
  const found = await collect(git.additions({ commits: [commit] }))
  return found.flatMap((added) => {
    if (added.kind !== 'text') return []
    return [...added.text.matchAll(/^.+$/gm)].map(({ 0: text, index }) => ({
      ...{ path: added.path, line: added.lineAt(index), text },
    }))
  })
}

describe('content', () => {
  it('reads a file at a commit', async () => {
    expect((await git.readFile(root, 'README.md', 100))?.toString()).toBe('# Sample\n')
  })

  it.each(['missing', '', '../README.md', './README.md', '/README.md'])(
    'answers null for the path %j',
    async (path) => {
      expect(await git.readFile(root, path, 100)).toBeNull()
    },
  )

  it('answers null for a folder', async () => {
    const next = await sample.commit({ files: { 'sub/a': '1' }, message: 'folder' })
    expect(await git.readFile(next, 'sub', 100)).toBeNull()
  })

  it('reads a file whose name has a newline', async () => {
    const next = await sample.commit({ files: { 'new\nline': 'x' }, message: 'name' })
    expect((await git.readFile(next, 'new\nline', 100))?.toString()).toBe('x')
  })

  it('throws for a file over the limit', async () => {
    await expect(git.readFile(root, 'README.md', 3)).rejects.toThrow('has 9 bytes, more than the 3 allowed')
  })

  it('reads a blob byte for byte', async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256))
    const next = await sample.commit({ files: { all: content }, message: 'bytes' })
    expect((await git.readBlob(await sample.sha(`${next}:all`), 1e6)).equals(content)).toBe(true)
  })
})
