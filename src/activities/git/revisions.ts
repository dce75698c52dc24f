import { checkRefName } from '#domain/branch-name'
import type { Sha } from '#domain/pull-request'
import { GitError } from './run.ts'

const fullSha = /^[0-9a-f]{40}$/

/** Refuses what is not a full SHA: git would look a shorter or other name up among refs that outsiders can create. */
export function sha(value: Sha): Sha {
  if (!fullSha.test(value)) throw refused(value, 'is not a full SHA')
  return value
}

export function refName(value: string): string {
  const reason = checkRefName(value)
  if (reason) throw refused(value, reason)
  return value
}

/** `refs/` or a ref's name, with or without a slash behind it. */
export function refPrefix(value: string): string {
  if (value !== 'refs/') refName(value.replace(/\/$/, ''))
  return value
}

function refused(value: string, reason: string): GitError {
  return new GitError([], null, `${JSON.stringify(String(value).slice(0, 200))} ${reason}`)
}
