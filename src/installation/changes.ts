import { unwatchFile, watchFile } from 'node:fs'
import { join } from 'node:path'
import { installationFileName } from '#config/installation-file'
import { formatProblem, loadInstallation } from '#config/load'
import type { InstallationPaths } from '#config/installation'

/** Polled, because editors and our own atomic writes replace the file, which ends a watch on it. */
const INTERVAL_MS = 500

/** Tells when the installation's file has other content: null, or why it can't be used. Answers how to stop. */
export function onNewConfiguration(
  { file, home }: InstallationPaths,
  tell: (problem: string | null) => void,
): () => void {
  const path = file ?? join(home, installationFileName)
  const look = async (now: { mtimeMs: number }, before: { mtimeMs: number }): Promise<void> => {
    if (now.mtimeMs === before.mtimeMs || now.mtimeMs === 0) return
    const loaded = await loadInstallation({ file: path, home })
    tell(loaded.ok ? null : loaded.problems.map(formatProblem).join('; '))
  }
  const listener = (now: { mtimeMs: number }, before: { mtimeMs: number }): void => void look(now, before)
  watchFile(path, { interval: INTERVAL_MS }, listener)
  return () => unwatchFile(path, listener)
}
