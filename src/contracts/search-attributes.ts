import { defineSearchAttributeKey, type SearchAttributePair, type SearchAttributeType } from '@temporalio/common'

/** Fixed for every installation: SQL visibility has 10 Keyword, 3 Int and 3 Datetime columns. */
export const searchAttributes = {
  Pipeline: defineSearchAttributeKey('Pipeline', 'KEYWORD'),
  Repo: defineSearchAttributeKey('Repo', 'KEYWORD'),
  Branch: defineSearchAttributeKey('Branch', 'KEYWORD'),
  Phase: defineSearchAttributeKey('Phase', 'KEYWORD'),
  Sha: defineSearchAttributeKey('Sha', 'KEYWORD'),
  Env: defineSearchAttributeKey('Env', 'KEYWORD'),
  WaitingOn: defineSearchAttributeKey('WaitingOn', 'KEYWORD'),
  Role: defineSearchAttributeKey('Role', 'KEYWORD'),
  Pr: defineSearchAttributeKey('Pr', 'INT'),
  Deadline: defineSearchAttributeKey('Deadline', 'DATETIME'),
} as const

/** Keyword values longer than a SQL store's column are refused by the server. */
const KEYWORD_LIMIT = 255

type Values = { Pr?: number; Deadline?: Date | null } & Partial<
  Record<'Pipeline' | 'Repo' | 'Branch' | 'Phase' | 'Sha' | 'Env' | 'Role', string>
> & { WaitingOn?: string | null }

/** Pairs for `typedSearchAttributes` and `upsertSearchAttributes`; null takes an attribute away. */
export function searchAttributePairs(values: Values): SearchAttributePair[] {
  return Object.entries(values).map(([name, value]) => ({
    key: searchAttributes[name as keyof typeof searchAttributes],
    value: typeof value === 'string' ? value.slice(0, KEYWORD_LIMIT) : value,
  })) as SearchAttributePair[]
}

/** Name → type, as the server registers them. */
export const searchAttributeTypes = Object.fromEntries(
  Object.values(searchAttributes).map((key) => [key.name, key.type]),
) as Record<keyof typeof searchAttributes, SearchAttributeType>
