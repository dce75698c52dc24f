import fc from 'fast-check'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GitRepository, Rebase } from '#activities/git/port'
import { MAX_REBASED_COMMITS } from '#activities/git/rebase'
import { openRepository } from '#activities/git/repository'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'
import { fastImport, historySteps } from './random-history.ts'

const trailer = 'Switchyard-Run: pr:shop#7'
const committer = { name: 'Switchyard', email: 'switchyard@localhost', at: '2026-03-01T00:00:00.000Z' }

let sample: SampleRepository
let git: GitRepository

async function open(): Promise<void> {
  sample = await createSampleRepository()
  git = openRepository(sample.gitDir)
}

const rebase = (onto: string, head: string) => git.rebase({ onto, head, committer, trailer })

/** Author, date, message and tree of each commit of a chain, oldest first. */
async function chain(onto: string, tip: string): Promise<string[]> {
  const format = '--format=%an%n%ae%n%ad%n%T%n%B%x00'
  const text = await sample.git('log', '--reverse', '--topo-order', '--date=raw', format, `${onto}..${tip}`)
  return text
    .split('\0')
    .map((each) => each.replace(trailer, '').trim())
    .filter(Boolean)
}

/** Commits in a stream, which costs one process for all. */
async function importCommits(stream: string): Promise<void> {
  await execa('git', ['fast-import', '--quiet', '--done', '--force'], { cwd: sample.path, input: stream })
}

describe('rebasing without a working tree', () => {
  beforeEach(open)
  afterEach(() => sample.remove())

  const onMain = (files: Record<string, string | null>) => sample.commit({ files, message: 'on main' })
  const onHead = (files: Record<string, string | null>, message = 'on head') =>
    sample.commit({ files, message, branch: 'head' })

  it('keeps author, date and message of each commit, and names committer and run', async () => {
    const author = { name: 'Grace Ö', email: 'grace@example.test' }
    const message = 'fix: one\n\nwhy\n\nSigned-off-by: Grace <grace@example.test>'
    const one = await sample.commit({ files: { one: '1' }, message, author, branch: 'head' })
    const head = await onHead({ two: '2' })
    const onto = await onMain({ other: '1' })
    const made = await rebase(onto, head)
    expect(made).toMatchObject({ outcome: 'rebased', count: 2 })
    const [first, second] = await git.commits(onto, (made as { commit: string }).commit)
    const [before, after] = [await git.commit(one), await git.commit(first!.sha)]
    expect(after).toMatchObject({ author, at: before.at, parents: [onto], committedAt: committer.at })
    expect(after.message).toBe(`${message}\n${trailer}\n`)
    expect((await git.commit(second!.sha)).message).toBe(`on head\n\n${trailer}\n`)
    expect(await sample.git('log', '-1', '--format=%cn %ce', second!.sha)).toBe('Switchyard switchyard@localhost')
  })

  it('makes the same commits of the same input, and adds no trailer twice', async () => {
    const head = await onHead({ one: '1' })
    const onto = await onMain({ other: '1' })
    const made = (await rebase(onto, head)) as { commit: string }
    expect(await rebase(onto, head)).toEqual(made)
    const again = (await rebase(onto, made.commit)) as { commit: string }
    expect(again.commit).toBe(made.commit)
  })

  it('names the commit that conflicts, and where', async () => {
    await onHead({ fine: '1' })
    const head = await onHead({ 'README.md': 'ours\n' }, 'rewrite the readme\n\nbody')
    const onto = await onMain({ 'README.md': 'theirs\n' })
    expect(await rebase(onto, head)).toEqual({
      ...{ outcome: 'conflict', commit: head, subject: 'rewrite the readme', paths: ['README.md'] },
    })
  })

  it('drops what became empty and keeps what always was', async () => {
    await onHead({ same: '1' }, 'is on main, too')
    await onHead({}, 'was always empty')
    const head = await onHead({ own: '1' }, 'is its own')
    const onto = await onMain({ same: '1' })
    const made = (await rebase(onto, head)) as Extract<Rebase, { outcome: 'rebased' }>
    const subjects = (await git.commits(onto, made.commit)).map(({ subject }) => subject)
    expect(subjects).toEqual(['was always empty', 'is its own'])
  })

  it('answers the base itself where nothing is left', async () => {
    const head = await onHead({ same: '1' })
    const onto = await onMain({ same: '1' })
    expect(await rebase(onto, head)).toMatchObject({ outcome: 'rebased', commit: onto, count: 0 })
    expect(await rebase(head, head)).toMatchObject({ outcome: 'rebased', commit: head, count: 0 })
  })

  it('takes a history that begins anew', async () => {
    const tree = await git.treeOf(await onHead({ own: '1' }))
    const orphan = await sample.git('commit-tree', '-m', 'a root', tree)
    const onto = await onMain({ other: '1' })
    const made = (await rebase(onto, orphan)) as { tree: string }
    expect((await sample.git('ls-tree', '--name-only', made.tree)).split('\n')).toEqual(['README.md', 'other', 'own'])
  })

  it('keeps bytes that are not UTF-8, and no signature', async () => {
    const tree = await git.treeOf(await onHead({ own: '1' }))
    const author = 'Jos\xe9 <jose@example.test> 1700000000 -0330'
    const root = await sample.sha('main')
    const content = [
      `tree ${tree}\nparent ${root}\nauthor ${author}\ncommitter ${author}\nencoding ISO-8859-1`,
      'gpgsig -----BEGIN PGP SIGNATURE-----\n author forged\n -----END PGP SIGNATURE-----\n\nCaf\xe9\n',
    ].join('\n')
    const raw = ['hash-object', '-t', 'commit', '-w', '--stdin']
    const { stdout: head } = await execa('git', raw, { cwd: sample.path, input: Buffer.from(content, 'latin1') })
    const made = (await rebase(await onMain({ other: '1' }), head)) as { commit: string }
    const { stdout } = await execa('git', ['cat-file', 'commit', made.commit], { cwd: sample.path, encoding: 'latin1' })
    expect(stdout).toContain(`author ${author}\n`)
    expect(stdout).toContain(`encoding ISO-8859-1\n\nCaf\xe9\n\n${trailer}`)
    expect(stdout).not.toContain('gpgsig')
  })

  it('refuses more commits than it makes in the time that a step has', async () => {
    const root = await sample.sha('main')
    const commit = (index: number) =>
      `commit refs/heads/long\nmark :${index}\ncommitter A <a@b> ${1_700_000_000 + index} +0000\ndata 0\n` +
      `${index === 1 ? `from ${root}\n` : ''}\n`
    await importCommits(`${Array.from({ length: MAX_REBASED_COMMITS + 1 }, (_, at) => commit(at + 1)).join('')}done\n`)
    const answer = await rebase(root, await sample.sha('long'))
    expect(answer).toEqual({ outcome: 'too-many', limit: MAX_REBASED_COMMITS })
  })
})

describe('rebasing any history', () => {
  beforeAll(open)
  afterAll(() => sample.remove())

  /** `git rebase` in a working tree; null for a conflict. */
  async function realRebase(onto: string, head: string): Promise<string | null> {
    await sample.git('switch', '--quiet', '--detach', head)
    try {
      await sample.git('rebase', '--quiet', '--reapply-cherry-picks', '--empty=drop', onto)
      return await sample.sha('HEAD')
    } catch {
      await sample.git('rebase', '--abort')
      return null
    }
  }

  it('makes what git rebase makes in a working tree, or names the conflict that it met', async () => {
    const seen = { rebased: 0, dropped: 0, conflicts: 0, unlikeMerge: 0 }
    let runs = 0
    await fc.assert(
      fc.asyncProperty(historySteps, async (steps) => {
        runs += 1
        await importCommits(fastImport(steps, `run-${runs}`))
        const onto = await sample.sha(`run-${runs}/base`)
        const head = await sample.sha(`run-${runs}/head`)
        const [ours, real] = [await rebase(onto, head), await realRebase(onto, head)]
        expect(ours.outcome).toBe(real === null ? 'conflict' : 'rebased')
        if (ours.outcome !== 'rebased' || real === null) return void (seen.conflicts += 1)
        expect(await chain(onto, ours.commit)).toEqual(await chain(onto, real))
        expect(await rebase(onto, head)).toEqual(ours)
        const merged = await git.mergeTree(onto, head)
        const picked = await sample.git('rev-list', '--count', '--no-merges', `${onto}..${head}`)
        if (ours.count > 0) seen.rebased += 1
        if (ours.count < Number(picked)) seen.dropped += 1
        if (merged.outcome === 'clean' && merged.tree !== ours.tree) seen.unlikeMerge += 1
      }),
      { seed: 20_260_301, numRuns: 40 },
    )
    // Else the histories would be too tame to say anything.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0)
  }, 120_000)
})
