import { expect, it } from 'vitest'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import { opened, settledBy } from '#domain/clarification/state'
import { renderClarification } from '#workflows/clarification-details'

const at = '2026-01-02T03:00:00.000Z'
const id = 'ask:3f2a91c04b5d6e7f'
const options = ['yes', 'no'].map((value) => ({ value, label: value }))

const open = (asked: Partial<Asked> = {}) =>
  opened(completeQuestion({ kind: 'approval', title: 'Land it?', ...asked }), [], at)
const page = (asked: Partial<Asked> = {}) => renderClarification(open(asked), null, id)

it('shows the context as a quotation, as far as there is room', () => {
  expect(page({ context: 'It has **no** tests.\n\n- a' })).toContain('> It has **no** tests.\n> \n> - a')
  const long = page({ context: 'x'.repeat(4_000) })
  expect(long).toContain(`${'x'.repeat(2_000)}…`)
  expect(long).not.toContain('x'.repeat(2_001))
  expect(page({ context: '<img src=x>' })).toContain('> &lt;img src=x>')
})

it('says when it expires while something else comes first', () => {
  const shown = page({ ladder: { remindAfter: 60_000, expiresAfter: 600_000, atExpiry: 'fail' } })
  expect(shown).toContain('Next: remind at 2026-01-02T03:01:00.000Z')
  expect(shown).toContain('Expires at 2026-01-02T03:10:00.000Z, then: fail')
  expect(page({ ladder: { remindAfter: null, expiresAfter: 600_000 } })).not.toContain('Expires at')
})

it('says how to answer on the command line, while that is of use', () => {
  expect(page({ options })).toContain(`\`switchyard answer ${id} <option>\``)
  expect(page({ kind: 'question' })).toContain(`\`switchyard answer ${id} <text>\``)
  const settled = settledBy(open(), { state: 'cancelled', value: null, comment: '' }, at)
  expect(renderClarification(settled, null, id)).not.toContain('switchyard answer')
})
