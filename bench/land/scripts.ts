import { join } from 'node:path'
import { openRepository } from '#activities/git/repository'
import { gitEnvironment, runGit } from '#activities/git/run'
import { runProcess } from '#activities/process/run'
import type { Template } from '../template.ts'

const person = { name: 'Ada Sample', email: 'ada@example.test', at: '2026-01-01T00:00:00.000Z' }

export type Timed = { ms: number; tree: string }

/** The same git effects as a landing of ours, started from Node in the same surroundings, and nothing else. */
export async function landByBareScript(gitDir: string, { root, changes }: Template): Promise<Timed> {
  const git = openRepository(gitDir)
  const start = performance.now()
  let base = root
  for (const { head, branch, title } of changes) {
    const merged = await git.mergeTree(base, head)
    if (merged.outcome === 'conflict') throw new Error(`${branch} conflicts`)
    const commit = await git.commitTree({
      tree: merged.tree,
      parents: [base, head],
      message: `${title}\n`,
      author: person,
      committer: person,
    })
    const moved = await git.updateRefs([
      { ref: `refs/heads/${branch}`, from: head, to: head },
      { ref: 'refs/heads/main', from: base, to: commit },
    ])
    if (!moved) throw new Error('main moved')
    base = commit
  }
  return { ms: performance.now() - start, tree: await git.treeOf(base) }
}

const shellScript = `set -e
base=$1
shift
while [ $# -gt 0 ]; do
  tree=$(git merge-tree --write-tree --no-messages "$base" "$1")
  commit=$(git commit-tree "$tree" -p "$base" -p "$1" -m "land $1")
  git update-ref refs/heads/main "$commit" "$base"
  base=$commit
  shift
done
`

/** For information: the same three calls by a shell, where starting a process costs less than from Node. */
export async function landByShell(gitDir: string, { root, changes }: Template): Promise<Timed> {
  const start = performance.now()
  const { exitCode, stderr } = await runProcess({
    command: 'sh',
    args: ['-c', shellScript, 'land', root, ...changes.map(({ head }) => head)],
    cwd: gitDir,
    env: { ...gitEnvironment(), ...identity, GIT_DIR: gitDir },
    timeout: 600_000,
    graceMs: 1_000,
    maxOutput: 10_000,
  })
  if (exitCode !== 0) throw new Error(`the shell script failed: ${stderr.toString('utf8')}`)
  const ms = performance.now() - start
  const git = openRepository(gitDir)
  return { ms, tree: await git.treeOf((await git.resolve('refs/heads/main'))!) }
}

/** What many tools do: a working tree for each change, merged in there. Moved by `update-ref`, which costs less than a push. */
export async function landByWorktrees(gitDir: string, { root, changes }: Template, folder: string): Promise<Timed> {
  const start = performance.now()
  let base = root
  for (const { head, branch, title } of changes) {
    const tree = join(folder, branch)
    await runGit({ gitDir, args: ['worktree', 'add', '--quiet', '--detach', tree, base] })
    const inTree = (...args: string[]) => runGit({ args: ['-C', tree, ...args], env: identity })
    await inTree('merge', '--quiet', '--no-ff', '-m', title, head)
    const commit = (await inTree('rev-parse', 'HEAD')).stdout.toString('latin1').trim()
    await runGit({ gitDir, args: ['update-ref', 'refs/heads/main', commit, base] })
    await runGit({ gitDir, args: ['worktree', 'remove', '--force', tree] })
    base = commit
  }
  return { ms: performance.now() - start, tree: await openRepository(gitDir).treeOf(base) }
}

const identity = {
  GIT_AUTHOR_NAME: person.name,
  GIT_AUTHOR_EMAIL: person.email,
  GIT_COMMITTER_NAME: person.name,
  GIT_COMMITTER_EMAIL: person.email,
}
