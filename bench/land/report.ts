import { cpus } from 'node:os'
import Table from 'cli-table3'
import type { Report } from '../benchmark.ts'
import { median, rounded } from '../statistics.ts'
import type { Parts } from './parts.ts'

/** Milliseconds per PR, but for `close`: milliseconds from the last landing until every PR's pipeline has ended. */
export type Round = {
  files: number
  ours: number
  enter: number
  close: number
  /** CPU time of all processes. */
  cpu: number | null
  script: number
  shell: number
  worktree: number
  parts: Parts
}

const ABOVE_FLOOR_MS = 60
const FASTER_THAN_WORKTREE = 5

export function reportOf(rounds: Round[], options: { prs: number; rounds: number; files: number[] }): Report {
  const sizes = options.files.map((files) =>
    sizeOf(
      files,
      rounds.filter((round) => round.files === files),
    ),
  )
  const targets = sizes.flatMap(({ targets }) => targets)
  const met = targets.every((target) => target.met)
  const machine = { cores: cpus().length, node: process.versions.node }
  const document = { benchmark: 'land', ...options, machine, sizes, met }
  return { document, text: textOf(sizes, options), met }
}

type Size = ReturnType<typeof sizeOf>

function sizeOf(files: number, rounds: Round[]) {
  const middle = (key: Exclude<keyof Round, 'parts' | 'files' | 'cpu'>) =>
    rounded(median(rounds.map((round) => round[key])))
  const perPullRequest = {
    ours: middle('ours'),
    script: middle('script'),
    shell: middle('shell'),
    worktree: middle('worktree'),
  }
  // Within a round, because the machine may be slower in one round than in another.
  const above = rounded(median(rounds.map(({ ours, script }) => ours - script)))
  const faster = rounded(median(rounds.map(({ ours, worktree }) => worktree / ours)))
  return {
    files,
    perPullRequest,
    enter: middle('enter'),
    close: middle('close'),
    cpu: rounded(median(rounds.map(({ cpu }) => cpu ?? Number.NaN))),
    rounds: rounds.map(({ ours, script, shell, worktree, enter }) => ({
      ...{ ours: rounded(ours), script: rounded(script), shell: rounded(shell) },
      ...{ worktree: rounded(worktree), enter: rounded(enter) },
    })),
    targets: [
      { name: 'ms per PR above the same git effects', atMost: ABOVE_FLOOR_MS, is: above, met: above <= ABOVE_FLOOR_MS },
      {
        name: 'times as fast as a worktree per PR',
        atLeast: FASTER_THAN_WORKTREE,
        is: faster,
        met: faster >= FASTER_THAN_WORKTREE,
      },
    ],
    parts: rounds.at(-1)!.parts,
  }
}

function textOf(sizes: Size[], { prs, rounds }: { prs: number; rounds: number }): string {
  const table = new Table({
    head: ['ms per PR', ...sizes.map(({ files }) => `${files} files`)],
    style: { head: [], border: [] },
  })
  const row = (name: string, value: (size: Size) => number) =>
    table.push([name, ...sizes.map((size) => value(size).toFixed(1))])
  row('ours', (size) => size.perPullRequest.ours)
  row('floor: the same git effects, from Node', (size) => size.perPullRequest.script)
  row('the same by a shell (information)', (size) => size.perPullRequest.shell)
  row('a worktree per PR', (size) => size.perPullRequest.worktree)
  row('entering the queue by `pr merge` (information)', (size) => size.enter)
  row('CPU time of ours, all processes (information)', (size) => size.cpu)
  const lines = [
    `Landing ${prs} approved pull requests with evidence, median of ${rounds} rounds`,
    table.toString(),
    '',
  ]
  for (const { files, targets, parts } of sizes) {
    for (const target of targets) {
      const limit = 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`
      lines.push(`${target.met ? 'met   ' : 'MISSED'}  ${files} files: ${target.is} ${target.name} (${limit})`)
    }
    lines.push(...partLines(parts), '')
  }
  return lines.join('\n')
}

function partLines({ activities, between }: Parts): string[] {
  const one = ([name, { count, dispatch, run }]: [string, Parts['activities'][string]]) =>
    `        ${name} × ${count}: dispatched in ${dispatch.toFixed(1)} ms, ran ${run.toFixed(1)} ms`
  return [
    ...Object.entries(activities).map(one),
    `        from an activity's end to the next: ${between.toFixed(1)} ms`,
  ]
}
