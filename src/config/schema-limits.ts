import { z } from 'zod'
import type { Limits } from '#domain/limits'
import { size } from './units.ts'

/** Fewer than a shell, a test runner and its workers need would only ever fail. */
const FEWEST_PROCESSES = 8
const MOST_PROCESSES = 100_000

/** `checks.<name>.limits`. */
export const limits = z
  .strictObject({
    memory: size({ example: '4GB' }).prefault('4GB').describe('Of all its processes together'),
    processes: z.int().min(FEWEST_PROCESSES).max(MOST_PROCESSES).default(512).describe('At the same time'),
    fileSize: size({ example: '2GB' }).prefault('2GB').describe('Of each file that it writes'),
  })
  .describe('What its command may use; a check that wants more fails') satisfies z.ZodType<Limits>
