import { z } from 'zod'
import type { Ladder } from '#domain/clarification/question'
import type { Policy } from '#domain/policy'
import { duration } from './units.ts'

const MAX_STEPS = 10
/** As of every question: `problemOfQuestion`. */
const max = 366 * 86_400_000
const MAX_NAMES = 20

const name = z.string().regex(/\S/, { error: 'must be a person or a group', abort: true })
const step = z.union([name, z.array(name).min(1).max(MAX_NAMES)], {
  error: 'must be a person or a group, or a list of them',
})

const ladder = (expires: string) =>
  z.strictObject({
    remindAfter: duration({ max, example: '10m' }).optional().describe('The first reminder'),
    remindEvery: duration({ max, min: 60_000, example: '1d' }).optional().describe('Between later reminders'),
    escalateAfter: duration({ max, example: '30m' }).optional().describe('Between two steps of `escalateTo`'),
    escalateTo: z.array(step).max(MAX_STEPS).optional().describe('People and groups who are asked as well, by steps'),
    expiresAfter: duration({ max, example: '7d' }).optional().describe(expires),
    atExpiry: z
      .enum(['fail', 'park'])
      .optional()
      .describe('fail: it counts as a no, and this head is not asked about again; park: it may be answered later'),
  })

/** `questions` of `.switchyard.yaml`: when what nobody answers makes itself heard. */
export const questions = z
  .strictObject({
    approval: ladder('7d where it is left out').optional().describe('Of `ask` in `checks.review.approvals`'),
    escalation: ladder('Never where it is left out').optional().describe('Of `overrides`'),
  })
  .describe('When questions that nobody answers are reminded of, escalated, and expire')

type Declared = z.output<typeof questions>

/** What a policy leaves out is the default of the kind. */
export function resolveQuestions({ approval, escalation }: Declared): NonNullable<Policy['questions']> {
  return {
    ...(approval ? { approval: resolveLadder(approval) } : {}),
    ...(escalation ? { escalation: resolveLadder(escalation) } : {}),
  }
}

function resolveLadder({ escalateTo, ...times }: NonNullable<Declared['approval']>): Partial<Ladder> {
  const steps = escalateTo?.map((names) => [names].flat())
  const declared = Object.entries({ ...times, escalateTo: steps }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(declared)
}
