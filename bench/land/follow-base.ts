import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openRepository } from '#activities/git/repository'

const POLL_MS = 5
/** After this long without a landing it is worth a look whether the tip is the last. */
const QUIET_MS = 300
/** Without a landing for this long the queue stands. */
const STALL_MS = 60_000

/**
 * The time between the landing of the gate, which is the first one, and the landing that gives the base its last tree;
 * seen in the repository itself, by reading the file of its ref.
 */
export async function followBase(
  { gitDir, signal }: { gitDir: string; signal: AbortSignal },
  { from, tree }: { from: string; tree: string },
): Promise<{ ms: number }> {
  const git = openRepository(gitDir)
  let tip = from
  let seen = from
  let first: number | null = null
  let last = performance.now()
  for (;;) {
    signal.throwIfAborted()
    const now = (await readFile(join(gitDir, 'refs/heads/main'), 'utf8')).trim()
    if (now !== tip) {
      tip = now
      last = performance.now()
      first ??= last
    } else if (first !== null && seen !== tip && performance.now() - last > QUIET_MS) {
      if ((await git.treeOf(tip)) === tree) return { ms: last - first }
      seen = tip
    } else if (performance.now() - last > STALL_MS) {
      throw new Error(`the base has not moved for ${STALL_MS / 1000} s; it is at ${tip}`)
    }
    await delay(POLL_MS)
  }
}
