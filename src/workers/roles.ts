import type { Role } from '#contracts/roles'

/** What a role's worker holds: which tools' activities, whether workflows run there, how many at once. Plain data. */
export type RoleDefinition = {
  tools: ('forge' | 'merge' | 'pipelines' | 'tests' | 'secrets' | 'review' | 'clarification')[]
  workflows: boolean
  /** Activities at once in one process. */
  slots: number
  /** How many workflows stay in memory between their tasks; 0: what waits for days holds none. */
  cachedWorkflows: number
}

const CACHED = 1_000

export const roleDefinitions: Record<Role, RoleDefinition> = {
  'pr-review': {
    tools: ['forge', 'review', 'pipelines', 'clarification'],
    workflows: true,
    slots: 20,
    cachedWorkflows: CACHED,
  },
  merge: { tools: ['merge', 'pipelines', 'clarification'], workflows: true, slots: 10, cachedWorkflows: CACHED },
  testing: { tools: ['tests'], workflows: false, slots: 2, cachedWorkflows: 0 },
  security: { tools: ['secrets'], workflows: false, slots: 2, cachedWorkflows: 0 },
  decision: { tools: ['clarification'], workflows: true, slots: 50, cachedWorkflows: 0 },
}

/** The processes that `up` starts. What reads or runs a PR's content is apart from what lands. */
export const workerProcesses: { name: string; roles: Role[] }[] = [
  { name: 'pr-review', roles: ['pr-review'] },
  { name: 'merge', roles: ['merge', 'decision'] },
  { name: 'testing', roles: ['testing', 'security'] },
]
