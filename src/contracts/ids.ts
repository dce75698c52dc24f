/** Workflow ids. Deterministic, so that a start is idempotent; built nowhere else. */
export const pullRequestId = (repo: string, number: number): string => `pr:${repo}#${number}`
export const mergeQueueId = (repo: string, branch: string): string => `queue:${repo}@${branch}`
/** `digest`: SHA-256 of the asker's workflow id, or nothing for a script, a zero byte and the question's key. */
export const clarificationId = (digest: string): string => `ask:${digest.slice(0, 16)}`
export const repositoryWatchId = (repo: string): string => `watch:${repo}`

/** The key that makes an entry, a verdict or an event about one head of one PR one. */
export const headKey = (number: number, head: string): string => `${number}@${head}`
