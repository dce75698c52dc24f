/** A worker as a process of its own that dies at the moments that its environment names. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLocalForge } from '#activities/forge/local'
import type { Forge } from '#activities/forge/port'
import { openRepository } from '#activities/git/repository'
import { openInstallation } from '#installation/open'
import type { SqliteLedger } from '#ledger/sqlite'
import type { Activities, Tools } from '#workers/activities'
import { parseRoles, workerProcess } from '#workers/main'
import { faultsVariable, nameOf, type Faults, type Moment } from './crash-points.ts'

const { env } = process
const cwd = process.cwd()
const roles = parseRoles(process.argv[2] ?? '') ?? []
const faults = JSON.parse(env[faultsVariable] ?? '{}') as Faults
const { config } = await openInstallation({ cwd, env })

await workerProcess(
  { cwd, env, roles, bundle: { codePath: faults.bundlePath } },
  { tools: withFaults, activities: withMoments },
)

function withFaults(tools: Tools): Tools {
  const forge = withMutations(forgeThatTells(tools))
  return {
    ...tools,
    forge: {
      ...forge,
      upsertComment: after(forge.upsertComment, (repo) => crashAt(repo, 'publishDecision', 'after-effect')),
      merge: after(forge.merge, (repo) => crashAt(repo, 'landCandidate', 'after-effect')),
    },
    ledger: {
      ...tools.ledger,
      saveEvidence: after(tools.ledger.saveEvidence, ({ repo, check }) =>
        crashAt(repo, { secrets: 'scanSecrets', review: 'reviewChange' }[check] ?? 'runTests', 'after-effect'),
      ),
      saveLanding: after(tools.ledger.saveLanding, ({ repo }) => crashAt(repo, 'landCandidate', 'after-record')),
    },
    pipelines: {
      ...tools.pipelines,
      enqueue: after(tools.pipelines.enqueue, ({ repo }) => crashAt(repo, 'enqueuePullRequest', 'after-effect')),
    },
  }
}

/** The forge that workers use, which also tells of what happened inside an effect. */
function forgeThatTells({ forge, ledger }: Tools): Forge {
  const told = createLocalForge({
    tables: (ledger as SqliteLedger).tables,
    repositories: config.repositories.map(({ name, remote }) => ({ name, gitDir: remote })),
    audit: (entry) => ledger.appendAudit(entry),
    happened: ({ effect, repo }) => {
      if (effect === 'landed') crashAt(repo, 'landCandidate', 'inside-effect')
    },
  })
  return { ...forge, merge: told.merge }
}

/** A lander that moves the base wherever it is: the forge then finds the commit there, and takes it for its own. */
function withMutations(forge: Forge): Forge {
  const { mutations } = faults
  if (mutations.length === 0) return forge
  return {
    ...forge,
    async merge(repo, number, request) {
      const pullRequest = await forge.getPullRequest(repo, number)
      const remote = config.repositories.find(({ name }) => name === repo)?.remote
      if (!pullRequest || !remote) throw new Error(`there is no ${repo}#${number}`)
      const { head, base } = pullRequest
      const headHolds = mutations.includes('no-expected-head') || head.sha === request.expectedHead
      const baseHolds = mutations.includes('no-expected-base') || base.sha === request.expectedBase
      if (headHolds && baseHolds) {
        const git = openRepository(remote)
        await git.updateRefs([{ ref: `refs/heads/${base.ref}`, from: base.sha, to: request.commit }])
      }
      return forge.merge(repo, number, request)
    },
  }
}

function withMoments(activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      const { repo } = args[0] as unknown as { repo: string }
      interfereBefore(repo, name)
      crashAt(repo, name, 'before-effect')
      const result = await activity(...args)
      crashAt(repo, name, 'before-acknowledgement')
      return result
    },
  ])
  return Object.fromEntries(wrapped) as Activities
}

function after<A extends unknown[], R>(effect: (...args: A) => Promise<R>, then: (...args: A) => void) {
  return async (...args: A): Promise<R> => {
    const result = await effect(...args)
    then(...args)
    return result
  }
}

function interfereBefore(repo: string, activity: string): void {
  for (const [index, interference] of faults.interferences.entries()) {
    if (interference.repo !== repo || interference.activity !== activity || !isFirst(`interference-${index}`)) continue
    const { status, stderr } = spawnSync('/bin/sh', ['-ec', interference.shell], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`the interference failed: ${stderr}`)
  }
}

function crashAt(repo: string, activity: string, moment: Moment): void {
  const point = faults.crashes.find(
    (crash) => crash.repo === repo && crash.activity === activity && crash.moment === moment,
  )
  if (point && isFirst(nameOf(point))) process.kill(process.pid, 'SIGKILL')
}

function isFirst(name: string): boolean {
  try {
    writeFileSync(join(faults.markers, name), '', { flag: 'wx' })
    return true
  } catch {
    return false
  }
}
