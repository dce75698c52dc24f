import { expect, test } from 'vitest'
import { reportOf, type Round } from '../../bench/land/report.ts'

const parts = { activities: { landCandidate: { count: 2, dispatch: 3, run: 20 } }, between: 5, events: 40 }
const round = (change: Partial<Round> = {}): Round => ({
  ...{ files: 1_000, ours: 50, script: 10, shell: 5, worktree: 400, enter: 30, close: 100, cpu: 90 },
  parts,
  ...change,
})
const options = { prs: 200, rounds: 1, files: [1_000] }

test('both targets are met when ours is near the floor and far from the worktrees', () => {
  const report = reportOf([round()], options)
  expect(report.met).toBe(true)
  expect(report.text).not.toContain('MISSED')
})

test.each([
  ['above the same git effects', round({ ours: 71 })],
  ['a worktree per PR', round({ worktree: 240 })],
])('a miss is printed as such: %s', (name, missed) => {
  const report = reportOf([missed], options)
  expect(report.met).toBe(false)
  expect(report.text).toMatch(new RegExp(`MISSED .*${name}`))
})

test('the parts of a landing are printed, so that the cause of a miss is found', () => {
  expect(reportOf([round()], options).text).toContain('landCandidate × 2: dispatched in 3.0 ms, ran 20.0 ms')
})

test('one round that the machine was slow in does not decide', () => {
  const rounds = [round(), round({ ours: 500 }), round()]
  expect(reportOf(rounds, { ...options, rounds: 3 }).met).toBe(true)
})
