/** What each command of a repository may use at most. Memory and file size in bytes, memory summed over its processes. */
export type Limits = { memory: number; processes: number; fileSize: number }

export const defaultLimits: Limits = { memory: 4e9, processes: 512, fileSize: 2e9 }
