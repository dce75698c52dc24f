import { z } from 'zod'
import { neverOverridden, overridableParts } from '#domain/override'

const MAX_PATHS = 10
const MAX_NAMES = 50

const name = z.string().regex(/\S/, { error: 'must be a person or a group', abort: true })

/** `overrides` of `.switchyard.yaml`. */
export const overrides = z
  .strictObject({
    rules: z
      .array(z.string().regex(/\S/, { error: 'must be the name of a criterion', abort: true }))
      .min(1)
      .max(MAX_PATHS)
      .describe(
        'Criteria: rules of your own, checks of a range, review/criteria, review/approvals, review/no-changes-requested',
      ),
    by: z.array(name).min(1).max(MAX_NAMES).describe('People or groups who may'),
    count: z.int().min(1).max(MAX_NAMES).default(1).describe('So many of them must agree'),
  })
  .describe('Criteria that people may let pass, each with a reason, when nothing else keeps a PR from landing')

/** Why a criterion can't be overridden; null when it can. `ofRange`: of `own`, the checks that are of a range. */
export function problemOfOverride(
  path: string,
  known: { own: string[]; ofRange: string[]; rules: string[] },
): string | null {
  if (overridableParts.includes(path) || known.ofRange.includes(path) || known.rules.includes(path)) return null
  if (neverOverridden.includes(path)) return 'can not be overridden: what lands is what was tested and may be seen'
  if (known.own.includes(path))
    return 'can not be overridden: it is a check of the tree, and what lands is what was tested'
  if (path === 'review') return `must name its part: ${overridableParts.join(', ')}`
  return `is no criterion that can be overridden: use ${[...overridableParts, ...known.ofRange, ...known.rules].join(', ')}`
}
