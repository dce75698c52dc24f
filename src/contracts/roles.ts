/** The roles of workers. Each polls the task queue of its own name. */
export const roles = ['pr-review', 'merge', 'testing', 'security', 'decision'] as const
export type Role = (typeof roles)[number]

export const taskQueue = (role: Role): string => role
