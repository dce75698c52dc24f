import { expect, test } from 'vitest'
import { percentile99, reportOf, type Figures } from '../../bench/waits/report.ts'

const standing = { open: 10, memoryKB: 200_000, idle: { worker: 1, server: 3 } }
const figures = (changes: Partial<Figures> = {}): Figures => ({
  standing: { few: standing, many: { open: 10_010, memoryKB: 300_000, idle: { worker: 1.2, server: 3.1 } } },
  latency: { few: [30, 40, 50], many: [35, 45, 150] },
  storm: { ours: [80, 90], bare: [100, 110] },
  ...changes,
})

test('all targets are met when waiting costs little, and the answer finds its asker at once', () => {
  const report = reportOf(figures())
  expect(report.text).not.toContain('MISSED')
  expect(report.met).toBe(true)
})

const many = (changes: object) =>
  figures({ standing: { few: standing, many: { ...standing, open: 1_010, ...changes } } })

test.each([
  ['memory for each of 1010', many({ memoryKB: 265_000 })],
  ['CPU of worker and server', many({ idle: { worker: 1, server: 4.1 } })],
  ['p50 with 10010 open', figures({ latency: { few: [60], many: [61, 61, 61] } })],
  ['p99 with 10010 open', figures({ latency: { few: [40], many: [40, 40, 201] } })],
  ['against that with 10 open', figures({ latency: { few: [30], many: [38] } })],
  ['a storm of answers', figures({ storm: { ours: [69], bare: [100] } })],
])('a miss is printed as such: %s', (name, missed) => {
  const report = reportOf(missed)
  expect(report.met).toBe(false)
  expect(report.text).toMatch(new RegExp(`MISSED .*${name}`))
})

test('CPU that is not known is no target, and no figure', () => {
  const unknown = { ...standing, idle: null }
  const { text } = reportOf(figures({ standing: { few: unknown, many: { ...unknown, open: 20 } } }))
  expect(text).toContain('unknown')
  expect(text).not.toContain('CPU of worker and server')
})

test('one answer in a hundred may be slower than the 99th percentile', () => {
  expect(percentile99([...Array.from({ length: 99 }, () => 10), 500])).toBe(10)
  expect(percentile99([...Array.from({ length: 98 }, () => 10), 500, 500])).toBe(500)
})
