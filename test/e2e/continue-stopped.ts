import { existsSync, readFileSync } from 'node:fs'
import { markOf } from '../support/crash-points.ts'
import type { TestInstallation } from '../support/installation.ts'

/** A stopped worker goes on once another one has done in its place what it was to do. */
export function continueStopped({ faults }: TestInstallation): void {
  for (const [chain, { deed, points }] of faults.chains.entries()) {
    if (deed !== 'stop-worker') continue
    for (const step of points.keys()) {
      const is = (mark: 'taken-over' | 'over') => existsSync(markOf(faults, chain, step, mark))
      if (!is('taken-over') || is('over')) continue
      process.kill(Number(readFileSync(markOf(faults, chain, step, 'happened'), 'utf8').split(' ')[0]), 'SIGCONT')
    }
  }
}
