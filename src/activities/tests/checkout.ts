import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sha } from '#domain/pull-request'
import { runGit } from '../git/run.ts'
import { runProcess } from '../process/run.ts'
import { emptyFolder, isRealFolder, removeFolder } from './folders.ts'

export type CheckoutFolders = { tree: string; git: string }

/**
 * Puts `tree` at a commit whatever was there before: changed, ignored and untracked files go. Objects are read from
 * `gitDir` in place, by SHA and by our own git alone; its refs and config are not seen, and the code that runs in
 * `tree` sees neither it nor the slot's git directory, whose files are written anew each time.
 *
 * `read-tree`, not `checkout`: it does not look into a file whose stat data differ but writes it again, so a mode that
 * was changed goes too, and it fetches nothing and moves no branch.
 */
export async function checkOut(slot: CheckoutFolders, gitDir: string, commit: Sha, signal: AbortSignal): Promise<void> {
  if (!/^[0-9a-f]{40}$/.test(commit)) throw new Error(`not a full SHA: ${JSON.stringify(commit)}`)
  await writeGitDirectory(slot.git)
  try {
    if (!(await isRealFolder(slot.tree))) throw new Error('no tree yet')
    await openAll(slot.tree, signal)
    await reset(slot, gitDir, commit, signal)
    await emptySubmodules(slot, gitDir, signal)
  } catch {
    signal.throwIfAborted()
    await removeFolder(slot.tree)
    await rm(join(slot.git, 'index'), { force: true })
    await mkdir(slot.tree, { recursive: true, mode: 0o700 })
    await reset(slot, gitDir, commit, signal)
  }
}

function gitIn(slot: CheckoutFolders, gitDir: string, signal: AbortSignal) {
  const env = { GIT_WORK_TREE: slot.tree, GIT_OBJECT_DIRECTORY: join(gitDir, 'objects') }
  return (args: string[]) => runGit({ args, gitDir: slot.git, env, timeout: 10 * 60_000, signal })
}

async function reset(slot: CheckoutFolders, gitDir: string, commit: Sha, signal: AbortSignal): Promise<void> {
  const git = gitIn(slot, gitDir, signal)
  await git(['read-tree', '--reset', '-u', commit])
  await git(['clean', '-ffdxq'])
}

/** Where the tree names a commit of another repository, git leaves alone what lies there, whoever put it there. */
async function emptySubmodules(slot: CheckoutFolders, gitDir: string, signal: AbortSignal): Promise<void> {
  const index = await readFile(join(slot.git, 'index'))
  if (!index.includes(gitlinkMode)) return
  const { stdout } = await gitIn(slot, gitDir, signal)(['ls-files', '--stage', '-z'])
  for (const entry of stdout.toString().split('\0')) {
    const path = /^160000 [0-9a-f]+ \d\t(.*)$/s.exec(entry)?.[1]
    if (path?.includes('\ufffd')) throw new Error('a submodule whose name is no UTF-8')
    if (path !== undefined) await emptyFolder(join(slot.tree, path))
  }
}

/** As the index writes it. Other bytes may look like it: then the entries tell. */
const gitlinkMode = Buffer.from([0, 0, 0o160000 >> 8, 0])

async function writeGitDirectory(git: string): Promise<void> {
  for (const folder of ['refs', 'info']) await mkdir(join(git, folder), { recursive: true, mode: 0o700 })
  // A lock that a killed git left behind: whoever holds the slot is its only user.
  await rm(join(git, 'index.lock'), { force: true })
  await writeFile(join(git, 'HEAD'), 'ref: refs/heads/none\n')
  await writeFile(join(git, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tautocrlf = false\n')
  await writeFile(join(git, 'info', 'attributes'), '* -filter\n')
}

/**
 * Opens what a former run closed to us or to the sandbox, which may have less capabilities than we have: git sees no
 * change in a mode that changed within the second in which it wrote the file. And removes every `.git`: git never
 * looks at one, so it would be there for the tests of the next change, with whatever its config starts.
 */
async function openAll(tree: string, signal: AbortSignal): Promise<void> {
  const { stdout, truncated } = await runProcess({
    command: 'find',
    args: [tree, '-xdev', '-name', '.git', '-prune', '-print0', '-o', ...closed, '-exec', 'chmod', 'u+rwX', '{}', ';'],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    timeout: 60_000,
    graceMs: 1_000,
    maxOutput: 64 * 1024,
    signal,
  })
  const planted = stdout.toString().split('\0').filter(Boolean)
  for (const path of planted) await removeFolder(path)
  const unnameable = planted.some((path) => path.includes('\ufffd'))
  if (truncated || unnameable) throw new Error('more was planted than can be removed one by one')
}

const closed = '( -type d ! -perm -0700 -o -type f ! -perm -0600 )'.split(' ')
