import { join } from 'node:path'
import { createFakeForge, type FakeForge } from '#activities/forge/fake'
import { createLocalForge, seedLocalRepository } from '#activities/forge/local'
import { openRepository } from '#activities/git/repository'
import type { AuditEntry, DatabaseLedger } from '#ledger/port'
import { openLedger } from '#ledger/sqlite'
import { execa } from 'execa'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'
import type { ForgeWorld } from './contract.ts'

export async function fakeWorld(): Promise<ForgeWorld & { forge: FakeForge }> {
  let protectedBranches = ['main']
  const trail = new Map<string, AuditEntry>()
  let broken = false
  const audit = async (entry: AuditEntry) => {
    if (broken) throw new Error('no space left on the device')
    if (!trail.has(entry.key)) trail.set(entry.key, entry)
  }
  const forge = createFakeForge({ protectedBranches: () => protectedBranches, audit })
  const repo = 'shop'
  const git = forge.repository(repo)
  git.setBranch('main', git.commit('first'))
  let commits = 0
  async function push(branch: string) {
    const parent = (await forge.branch(repo, branch)) ?? (await forge.branch(repo, 'main')) ?? ''
    const sha = git.commit(`${branch} ${(commits += 1)}`, [parent])
    forge.setBranch(repo, branch, sha)
    return sha
  }
  return {
    forge,
    repo,
    push,
    async pushConflict(branch) {
      const sha = await push(branch)
      git.setConflict((await forge.branch(repo, 'main')) ?? '', sha)
      return sha
    },
    setBranch: async (branch, sha) => forge.setBranch(repo, branch, sha),
    async candidate(base, head) {
      const commit = git.commit(`merge ${base} ${head}`, [base, head])
      return { commit, tree: await git.treeOf(commit) }
    },
    async chain(base) {
      const commit = git.commit(`last on ${base}`, [git.commit(`first on ${base}`, [base])])
      return { commit, tree: await git.treeOf(commit) }
    },
    treeOf: (commit) => git.treeOf(commit),
    async moveSilently(branch, from, to) {
      await git.updateRefs([{ ref: `refs/heads/${branch}`, from, to }])
    },
    protect: (branches) => (protectedBranches = branches),
    audit: async () => [...trail.values()],
    breakAudit: async () => void (broken = true),
    close: async () => undefined,
  }
}

export type LocalWorld = ForgeWorld & {
  ledger: DatabaseLedger
  gitDir: string
  sample: SampleRepository
  /** A person's push, with its exit code and what it printed. */
  gitPush(args: string[], env?: Record<string, string>): Promise<{ exitCode: number; stderr: string }>
}

/** `open`: the ledger, in this folder unless it says otherwise. */
export async function localWorld(
  open: (home: string) => Promise<DatabaseLedger> = (home) =>
    openLedger(join(home, 'ledger.sqlite'), { synchronous: 'normal' }),
): Promise<LocalWorld> {
  const sample = await createSampleRepository()
  const repo = 'shop'
  const home = join(sample.path, '..', "state of Ann's $(installation)")
  const { gitDir } = await seedLocalRepository({ home, name: repo, fromRepo: sample.path, branch: 'main' })
  const ledger = await open(home)
  let protectedBranches = ['main']
  const forge = createLocalForge({
    tables: ledger.tables,
    repositories: [{ name: repo, gitDir }],
    protectedBranches: () => protectedBranches,
    audit: ledger.appendAudit,
  })
  const git = openRepository(gitDir)
  let commits = 0

  async function gitPush(args: string[], env: Record<string, string> = {}) {
    const surroundings = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: home, ...env }
    const result = await execa('git', ['push', ...args], { cwd: sample.path, env: surroundings, reject: false })
    return { exitCode: result.exitCode ?? -1, stderr: result.stderr }
  }
  async function mustPush(refspec: string) {
    const { exitCode, stderr } = await gitPush(['--quiet', '-o', 'allow-direct', gitDir, refspec])
    if (exitCode !== 0) throw new Error(stderr)
  }
  async function push(branch: string, file = `${branch}-${(commits += 1)}.txt`) {
    const current = await forge.branch(repo, branch)
    const from = (await forge.branch(repo, 'main')) ?? ''
    await sample.git('fetch', '--quiet', gitDir, 'refs/heads/*:refs/fetched/*')
    await sample.git('switch', '--quiet', '--detach')
    await sample.branch(branch, current ?? from)
    const sha = await sample.commit({ branch, files: { [file]: `${branch}\n` }, message: `change ${file}` })
    await mustPush(`+${branch}:refs/heads/${branch}`)
    return sha
  }
  return {
    ...{ forge, repo, ledger, gitDir, sample, gitPush },
    push: (branch) => push(branch),
    async pushConflict(branch) {
      const sha = await push(branch, 'same.txt')
      await push('main', 'same.txt')
      return sha
    },
    setBranch: (branch, sha) => mustPush(`+${sha ?? ''}:refs/heads/${branch}`),
    async candidate(base, head) {
      const merged = await git.mergeTree(base, head)
      if (merged.outcome !== 'clean') throw new Error('the candidate conflicts')
      const person = { name: 'Switchyard', email: 'switchyard@localhost', at: '2026-01-01T00:00:00Z' }
      const input = {
        tree: merged.tree,
        parents: [base, head],
        message: `merge ${head}`,
        author: person,
        committer: person,
      }
      return { commit: await git.commitTree(input), tree: merged.tree }
    },
    async chain(base) {
      const person = { name: 'Switchyard', email: 'switchyard@localhost', at: '2026-01-01T00:00:00Z' }
      const tree = await git.treeOf(base)
      const input = { tree, message: 'one of two', author: person, committer: person }
      const first = await git.commitTree({ ...input, parents: [base] })
      return { commit: await git.commitTree({ ...input, parents: [first] }), tree }
    },
    treeOf: (commit) => git.treeOf(commit),
    async moveSilently(branch, from, to) {
      await git.updateRefs([{ ref: `refs/heads/${branch}`, from, to }])
    },
    protect: (branches) => (protectedBranches = branches),
    audit: () => ledger.audit({ repo }),
    breakAudit: () => ledger.tables.schema.dropTable('audit').execute(),
    async close() {
      await ledger.close()
      await sample.remove()
    },
  }
}
