import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePolicy, policyFileName } from '#config/policy'
import { formatProblem } from '#config/problems'
import { roles } from '#contracts/roles'
import { treeChecks } from '#domain/check-subjects'
import type { Installation } from '#installation/installation'
import { createPolicyReader } from '#installation/policies'
import { defaultBase } from '../base.ts'
import type { CommandContext } from '../context.ts'
import { toCliError } from '../errors.ts'
import { withServerIfAny } from '../session.ts'
import { topLevel } from '../user-git.ts'
import type { Probe, ProbeResult } from './machine.ts'
import { keysOfPeople } from './people.ts'

const ok = (detail: string): ProbeResult => ({ outcome: 'ok', detail, hint: null })
const warn = (detail: string, hint: string): ProbeResult => ({ outcome: 'warn', detail, hint })

export const installationProbes: Probe[] = [
  { check: 'installation', look: (context) => opened(context, describeInstallation) },
  { check: 'policy here', look: policyHere },
  { check: 'policies', look: (context) => opened(context, policies) },
  { check: 'ledger', look: (context) => opened(context, ledger) },
  {
    check: 'people',
    look: (context) => opened(context, async ({ config }) => keysOfPeople(config.people, context.env)),
  },
  { check: 'isolation', look: (context) => opened(context, isolation) },
  { check: 'server', look: (context) => opened(context, server) },
]

/** Each probe opens for itself: one that can't must not hide the others. */
async function opened(
  context: CommandContext,
  look: (installation: Installation, context: CommandContext) => Promise<ProbeResult | ProbeResult[]>,
): Promise<ProbeResult | ProbeResult[]> {
  const { cwd, env, flags } = context
  const installation = await context.openInstallation({
    cwd,
    env,
    ...(flags.config === undefined ? {} : { configFlag: flags.config }),
  })
  try {
    return await look(installation, context)
  } finally {
    await installation.close()
  }
}

async function describeInstallation({ config, paths }: Installation): Promise<ProbeResult> {
  const names = config.repositories.map(({ name }) => name).join(', ')
  if (paths.file === null)
    return warn(`no switchyard.yaml; state in ${paths.home}`, 'Run `switchyard init` inside a repository.')
  if (names === '') return warn(`${paths.file} has no repositories`, 'Run `switchyard init` inside a repository.')
  return ok(`${paths.file}: ${names}`)
}

/** The file of the folder we are in, as it would land. */
async function policyHere(context: CommandContext): Promise<ProbeResult[]> {
  const top = await topLevel(context)
  if (!top) return []
  const file = join(top, policyFileName)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return [warn(`${file} is not there`, 'Run `switchyard init`: it writes one.')]
  const parsed = parsePolicy(text, file)
  if (parsed.ok) return [ok(file)]
  const hint = 'Correct it: a policy that does not parse on the base opens no pull request.'
  return parsed.problems.map((problem) => ({
    outcome: 'fail',
    detail: formatProblem(problem),
    hint,
    configuration: true,
  }))
}

/** What applies on each base branch now. */
async function policies(installation: Installation): Promise<ProbeResult[]> {
  const reader = createPolicyReader(installation)
  const results: ProbeResult[] = []
  for (const { name } of installation.config.repositories) {
    const base = await defaultBase(installation, name)
    const commit = base === null ? null : await installation.repository(name).resolve(`refs/heads/${base}`)
    if (base === null || commit === null) {
      results.push(warn(`${name}: its base branch is not there`, `Push it: git push switchyard <branch>`))
      continue
    }
    const { facts } = await reader.read(name, base, commit)
    if (facts.problem !== null) {
      const hint = `Correct ${policyFileName} on ${base}; until then the last good one applies to open pull requests.`
      results.push({ outcome: 'fail', detail: `${name}@${base}: ${facts.problem}`, hint, configuration: true })
      continue
    }
    const tested = treeChecks(facts.checks).length > 0
    const detail = `${name}@${base}: policy from ${facts.source}`
    results.push(
      tested
        ? ok(detail)
        : warn(`${detail}, without tests`, `Set checks.tests.run in ${policyFileName}: nothing untested lands.`),
    )
  }
  return results
}

async function ledger({ ledger }: Installation): Promise<ProbeResult> {
  const [{ store, version, place, bytes }, { reviewed }] = await Promise.all([
    ledger.about(),
    ledger.pullRequestCounts(null),
  ])
  const name = store === 'sqlite' ? `SQLite ${version}` : `PostgreSQL ${version}`
  return ok(`${name}, ${(bytes / 1e6).toFixed(1)} MB in ${place}; ${reviewed} pull requests reviewed`)
}

/** Really starts a sandbox. */
async function isolation(
  { config, paths, logs }: Installation,
  { env }: CommandContext,
): Promise<ProbeResult | ProbeResult[]> {
  const { createCommandRunner } = await import('#activities/tests/runner')
  const runner = createCommandRunner({ home: paths.home, isolation: config.isolation, logs, env })
  const { mode, detail, gaps } = runner.isolation()
  const open = gaps.map((gap) => warn(gap, 'Until then run trusted code only.'))
  if (mode === 'bubblewrap') {
    const [works = '', network] = detail.split('; ')
    const hint = 'Use `network: true` and `setup` only where their commands are trusted.'
    return [ok(`bubblewrap works: ${works}`), ...(network === undefined ? [] : [warn(network, hint)]), ...open]
  }
  if (config.isolation === 'none')
    return [warn(detail, 'Trusted code only. `isolation: required` isolates it.'), ...open]
  return {
    outcome: 'fail',
    detail,
    hint: 'Install bubblewrap, or set `isolation: none` in switchyard.yaml for trusted code only.',
  }
}

async function server(installation: Installation, context: CommandContext): Promise<ProbeResult[]> {
  return await withServerIfAny(context, installation, async (connected) => {
    if (connected === null) return [warn('not running', 'Start it with `switchyard up`.')]
    const found = [ok(`${connected.address}, namespace ${connected.namespace}`)]
    for (const role of roles) found.push(await worker(role, () => connected.hasWorker(role)))
    return found
  })
}

async function worker(role: string, polls: () => Promise<boolean>): Promise<ProbeResult> {
  try {
    if (await polls()) return ok(`a worker polls ${role}`)
    return warn(`no worker polls ${role}`, 'Start the workers with `switchyard up`.')
  } catch (error) {
    return {
      outcome: 'fail',
      detail: `${role}: ${toCliError(error).message}`,
      hint: 'Look at the server with `switchyard status`.',
    }
  }
}
