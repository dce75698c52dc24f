import { expect, test } from 'vitest'
import { query } from '#client/query'
import { askAgain } from '#contracts/query'

const connected = { client: { withDeadline: (_: number, act: () => Promise<unknown>) => act() } } as never

test('a query that came before its task is asked again', async () => {
  let asked = 0
  const ask = async () => {
    asked += 1
    if (asked < 3) throw new Error(`Failed: ${askAgain}`)
    return 'the status'
  }
  expect([await query(connected, ask), asked]).toEqual(['the status', 3])
})

test('a query that fails otherwise is not', async () => {
  let asked = 0
  const ask = async () => {
    asked += 1
    throw new Error('unknown query')
  }
  await expect(query(connected, ask)).rejects.toThrow('unknown query')
  expect(asked).toBe(1)
})
