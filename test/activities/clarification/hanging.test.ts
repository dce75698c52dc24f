import { expect, it } from 'vitest'
import { createHangingTargets } from '#activities/clarification/hanging'
import type { NotifyTarget } from '#activities/notify/port'

const chat: NotifyTarget = { via: 'slack', url: 'https://chat.test/one' }
const other: NotifyTarget = { via: 'slack', url: 'https://chat.test/other' }

it('leaves a target in peace for a while that hung, and no other', () => {
  let now = 0
  const hanging = createHangingTargets(() => now)
  hanging.note(chat, { delivered: false, took: 10_000 })
  expect([hanging.has(chat), hanging.has(other)]).toEqual([true, false])
  now = 30_000
  expect(hanging.has(chat)).toBe(false)
})

it.each([
  ['refuses at once', { delivered: false, took: 20 }],
  ['takes long and takes it', { delivered: true, took: 9_000 }],
])('tries a target again that %s', (_, result) => {
  const hanging = createHangingTargets(() => 0)
  hanging.note(chat, { delivered: false, took: 10_000 })
  hanging.note(chat, result)
  expect(hanging.has(chat)).toBe(false)
})
