import { execFile } from 'node:child_process'
import { access, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { findInstallation } from '#config/load'
import { findTemporalCli } from '../../../tools/temporal/provision.mjs'
import type { CommandContext } from '../context.ts'

export type ProbeResult = {
  outcome: 'ok' | 'warn' | 'fail'
  detail: string
  hint: string | null
  /** A fault of a configuration file. */
  configuration?: boolean
}

export type Probe = { check: string; look(context: CommandContext): Promise<ProbeResult | ProbeResult[]> }

const MINIMUM_NODE = 24
const GIGABYTE = 1024 ** 3

const ok = (detail: string): ProbeResult => ({ outcome: 'ok', detail, hint: null })
const warn = (detail: string, hint: string): ProbeResult => ({ outcome: 'warn', detail, hint })
const fail = (detail: string, hint: string): ProbeResult => ({ outcome: 'fail', detail, hint })

export const machineProbes: Probe[] = [
  { check: 'Node', look: async () => node(process.versions.node) },
  { check: 'git', look: async ({ env }) => git(await firstLine('git', ['--version'], env)) },
  { check: 'Temporal CLI', look: ({ env }) => temporalCli(env) },
  { check: 'disk', look: disk },
]

export function node(version: string): ProbeResult {
  if (Number(version.split('.')[0]) >= MINIMUM_NODE) return ok(version)
  return fail(
    `${version} is older than ${MINIMUM_NODE}`,
    'Run it as `switchyard` or `npx switchyard`, which bring a newer Node along, and not by its script.',
  )
}

export function git(version: string | null): ProbeResult {
  const match = /(\d+)\.(\d+)/.exec(version ?? '')
  if (version === null || match === null) return fail('not found', 'Install git ≥ 2.38.')
  const [major, minor] = [Number(match[1]), Number(match[2])]
  if (major > 2 || (major === 2 && minor >= 38)) return ok(version)
  return fail(`${version} is older than 2.38`, 'Install git ≥ 2.38: older ones have no `merge-tree --write-tree`.')
}

export async function temporalCli(env: NodeJS.ProcessEnv): Promise<ProbeResult> {
  const found = await findTemporalCli(env)
  if (found) return ok(`${found.path} (${found.source})`)
  if (env.TEMPORAL_ADDRESS) return ok(`not needed: the server is at ${env.TEMPORAL_ADDRESS}`)
  return warn(
    'not found',
    '`switchyard up` downloads it, or builds it with Go, once. Or put `temporal` on PATH, or set SWITCHYARD_TEMPORAL_CLI.',
  )
}

async function disk({ cwd, env, flags }: CommandContext): Promise<ProbeResult> {
  const { home } = await findInstallation({ cwd, env, configFlag: flags.config })
  const { bavail, bsize } = await statfs(await existing(home))
  const free = (bavail * bsize) / GIGABYTE
  const detail = `${free.toFixed(1)} GB free for ${home}`
  if (free >= 2) return ok(detail)
  const hint = 'Make room, or set SWITCHYARD_HOME to a larger disk.'
  return free < 0.5 ? fail(detail, hint) : warn(detail, hint)
}

async function existing(path: string): Promise<string> {
  return await access(path).then(
    () => path,
    () => existing(dirname(path)),
  )
}

async function firstLine(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  return await new Promise((resolve) => {
    execFile(command, args, { env, timeout: 10_000 }, (error, stdout) =>
      resolve(error ? null : (stdout.split('\n')[0] ?? '').trim()),
    )
  })
}
