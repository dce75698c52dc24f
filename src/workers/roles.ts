import type { Role } from '#contracts/roles'

/** What a role's worker holds: which tools' activities, whether workflows run there, how many at once. Plain data. */
export type RoleDefinition = {
  tools: ('forge' | 'merge' | 'pipelines' | 'tests' | 'secrets' | 'review')[]
  workflows: boolean
  /** Activities at once in one process. */
  slots: number
}

export const roleDefinitions: Record<Role, RoleDefinition> = {
  'pr-review': { tools: ['forge', 'review', 'pipelines'], workflows: true, slots: 20 },
  merge: { tools: ['merge', 'pipelines'], workflows: true, slots: 10 },
  testing: { tools: ['tests'], workflows: false, slots: 2 },
  security: { tools: ['secrets'], workflows: false, slots: 2 },
}

/** The processes that `up` starts. What reads or runs a PR's content is apart from what lands. */
export const workerProcesses: { name: string; roles: Role[] }[] = [
  { name: 'pr-review', roles: ['pr-review'] },
  { name: 'merge', roles: ['merge'] },
  { name: 'testing', roles: ['testing', 'security'] },
]
