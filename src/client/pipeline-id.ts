import { usageError } from './errors.ts'
import { parsePullRequest } from './select.ts'

export type PipelineId =
  | { kind: 'pull-request'; repo: string | null; number: number }
  | { kind: 'queue'; repo: string; branch: string }
  | { kind: 'watch'; repo: string }
  | { kind: 'clarification'; id: string }
  | { kind: 'other'; workflowId: string }

/** What an id on the command line names: a workflow id of `contracts/ids`, or a PR's number. */
export function parsePipelineId(text: string): PipelineId {
  const queue = /^queue:(?<repo>[^@]+)@(?<branch>.+)$/.exec(text)?.groups
  if (queue) return { kind: 'queue', repo: queue.repo!, branch: queue.branch! }
  const watch = /^watch:(?<repo>.+)$/.exec(text)?.groups
  if (watch) return { kind: 'watch', repo: watch.repo! }
  if (text.startsWith('ask:')) return { kind: 'clarification', id: text }
  if (/^(pr:.+#|.*#)?\d+$/.test(text)) return { kind: 'pull-request', ...parsePullRequest(text) }
  if (text.trim() === '' || text.length > 1000) throw usageError('That is no pipeline id.', 'See `switchyard runs`.')
  return { kind: 'other', workflowId: text }
}
