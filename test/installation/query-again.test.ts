import type { WorkflowQueryInput } from '@temporalio/client'
import { expect, test } from 'vitest'
import { askAgain } from '#contracts/query'
import { queryAgain } from '#installation/query-again'

const query = (next: () => Promise<unknown>) => queryAgain.query!({} as WorkflowQueryInput, next)

test('a query that came before its task is asked again', async () => {
  let asked = 0
  const next = async () => {
    asked += 1
    if (asked < 3) throw new Error(`Failed: ${askAgain}`)
    return 'the status'
  }
  expect([await query(next), asked]).toEqual(['the status', 3])
})

test('a query that fails otherwise is not', async () => {
  let asked = 0
  const next = async () => {
    asked += 1
    throw new Error('unknown query')
  }
  await expect(query(next)).rejects.toThrow('unknown query')
  expect(asked).toBe(1)
})
