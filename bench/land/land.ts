import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { useHelper } from '#activities/process/helper'
import { inFolder } from '../surroundings.ts'
import { rotate } from '../statistics.ts'
import { withInstallation, type Bench } from '../installation.ts'
import { landThroughQueue, surroundingsOf, type OursTimed } from './ours.ts'
import type { Benchmark, Report } from '../benchmark.ts'
import { reportOf, type Round } from './report.ts'
import { landByBareScript, landByShell, landByWorktrees } from './scripts.ts'
import { copyTemplate, createTemplate, type Template } from '../template.ts'

export const land: Benchmark = {
  about: 'landing approved PRs that have their evidence, against the same git effects and a worktree per PR',
  options: {
    prs: { fallback: '200', max: 2_000, about: 'pull requests in each round' },
    rounds: { fallback: '3', max: 20, about: 'rounds; every figure is the median of them' },
    files: { fallback: '1000,4000', max: 100_000, list: true, about: 'files in the repositories' },
  },
  run: ({ prs, rounds, files }, context) =>
    benchLand({ prs: prs![0]!, rounds: rounds![0]!, files: files!, ...context }),
}

type LandOptions = {
  prs: number
  rounds: number
  files: number[]
  say: (line: string) => void
  signal: AbortSignal
}

/** A worktree per PR takes so long that fewer show enough. */
const WORKTREE_PRS = 20

const lanes = ['ours', 'script', 'shell', 'worktree'] as const
type Lane = (typeof lanes)[number]

/** Lands the same changes in each way, in rounds in which every way takes its turn at being first. */
async function benchLand(options: LandOptions): Promise<Report> {
  return inFolder(async (folder) => {
    // As in the workers: else the scripts would pay for the size of this process.
    const helper = useHelper()
    const { files, prs, rounds, say } = options
    const gateFile = join(folder, 'gate-is-open')
    const policy = policyText(gateFile)
    const templates: Template[] = []
    for (const count of files) {
      say(`making a repository of ${count} files with ${prs} changes …`)
      templates.push(await createTemplate(join(folder, `template-${count}.git`), { files: count, prs, policy }))
    }
    const repositories = templates.flatMap((template) =>
      Array.from({ length: rounds }, (_, round) => {
        const name = `files-${template.files}-round-${round + 1}`
        return { name, gitDir: join(folder, 'home', 'forge', `${name}.git`), template }
      }),
    )
    for (const { template, gitDir } of repositories) await copyTemplate(template, gitDir)
    const measured = await withInstallation(join(folder, 'home'), repositories, say, async (bench) => {
      const results: Round[] = []
      for (let round = 0; round < rounds; round += 1) {
        for (const { name, gitDir, template } of repositories.filter(({ name }) =>
          name.endsWith(`-round-${round + 1}`),
        )) {
          say(`round ${round + 1} of ${rounds}, ${template.files} files`)
          results.push(
            await oneRound({ ...options, bench, repo: name, gitDir, template, policy, gateFile, folder, round }),
          )
        }
      }
      return results
    })
    helper.stop()
    return reportOf(measured, { prs, rounds, files })
  })
}

type OneRound = LandOptions & {
  bench: Bench
  repo: string
  gitDir: string
  template: Template
  policy: string
  gateFile: string
  folder: string
  round: number
}

async function oneRound(input: OneRound): Promise<Round> {
  const { template, round, bench, say, prs, folder, repo } = input
  const few = { ...template, changes: template.changes.slice(0, WORKTREE_PRS) }
  const found: Partial<Record<Exclude<Lane, 'ours'>, number>> = {}
  let ours: OursTimed | null = null
  for (const lane of rotate([...lanes], round)) {
    input.signal.throwIfAborted()
    if (lane === 'ours') {
      ours = await landThroughQueue({ ...input, ...bench, surroundings: await surroundingsOf(bench) })
      say(`  ours: ${(ours.ms / prs).toFixed(1)} ms per PR`)
      continue
    }
    const scratch = join(folder, `${repo}-${lane}`)
    const gitDir = join(scratch, 'repository.git')
    await mkdir(scratch)
    await copyTemplate(template, gitDir)
    found[lane] = await runLane(lane, gitDir, lane === 'worktree' ? few : template, scratch)
    say(`  ${lane}: ${found[lane].toFixed(1)} ms per PR`)
  }
  return {
    files: template.files,
    ours: ours!.ms / prs,
    enter: ours!.enterMs / prs,
    close: ours!.closeMs,
    cpu: ours!.cpuMs === null ? null : ours!.cpuMs / prs,
    parts: ours!.parts,
    script: found.script!,
    shell: found.shell!,
    worktree: found.worktree!,
  }
}

async function runLane(
  lane: Exclude<Lane, 'ours'>,
  gitDir: string,
  template: Template,
  scratch: string,
): Promise<number> {
  const { changes } = template
  switch (lane) {
    case 'script':
      return (await landByBareScript(gitDir, template)).ms / changes.length
    case 'shell':
      return (await landByShell(gitDir, template)).ms / changes.length
    case 'worktree':
      return (await landByWorktrees(gitDir, template, scratch)).ms / changes.length
  }
}

/** The head branch stays: its deletion is no effect that a bare script has. */
function policyText(gateFile: string): string {
  const wait = `test ! -e gate || until test -e '${gateFile}'; do sleep 0.05; done`
  return [
    'version: 1',
    'checks:',
    '  tests:',
    `    run: ${JSON.stringify(wait)}`,
    '    timeout: 1h',
    'merge: { auto: false, method: merge, deleteBranch: false }',
    '',
  ].join('\n')
}
