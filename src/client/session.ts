import { roles, type Role } from '#contracts/roles'
import type { PullRequest } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from './context.ts'
import { CliError } from './errors.ts'

/** What a session may answer; naming the exit codes lets TypeScript see that `return 0` is one. */
type Answer = ExitCode | object | string | null | void

/** Opens the installation for one command and closes it whatever happens. */
export async function withInstallation<T extends Answer>(
  context: Pick<CommandContext, 'cwd' | 'env' | 'flags' | 'openInstallation'>,
  use: (installation: Installation) => Promise<T>,
): Promise<T> {
  const { cwd, env, flags } = context
  const installation = await context.openInstallation({
    cwd,
    env,
    ...(flags.config === undefined ? {} : { configFlag: flags.config }),
  })
  try {
    return await use(installation)
  } finally {
    await installation.close()
  }
}

/** Needs a server: `NoServerError` reaches the user as exit code 3. */
export async function withServer<T extends Answer>(
  context: CommandContext,
  installation: Installation,
  use: (connected: Connected) => Promise<T>,
): Promise<T> {
  const connected = await context.connect(installation, { env: context.env })
  try {
    return await use(connected)
  } finally {
    await connected.close()
  }
}

/** Uses a server where there is one, and goes on without. */
export async function withServerIfAny<T extends Answer>(
  context: CommandContext,
  installation: Installation,
  use: (connected: Connected | null) => Promise<T>,
): Promise<T> {
  const connected = await context.connect(installation, { env: context.env }).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'NoServerError') return null
    throw error
  })
  try {
    return await use(connected)
  } finally {
    await connected?.close()
  }
}

/** For commands that need an answer of these roles: without workers they would wait for nothing. */
export async function requireWorkers(connected: Connected, needed: readonly Role[]): Promise<void> {
  const polled = await Promise.all(needed.map((role) => connected.hasWorker(role)))
  const missing = needed.filter((_, index) => !polled[index])
  if (missing.length === 0) return
  const named = missing.length === 1 ? `the role ${missing[0]}` : `the roles ${missing.join(', ')}`
  throw new CliError(3, 'no-worker', `No worker polls ${named} now.`, {
    details: { roles: missing },
    hint: `Start the workers with \`switchyard up\`, or \`switchyard worker --roles ${missing.join(',')}\`.`,
  })
}

/** `--wait` follows a PR through every role; the update itself needs its pipeline's only. */
export const rolesFor = (limit: number | null | undefined): readonly Role[] =>
  limit === undefined ? ['pr-review'] : roles

/**
 * Tells the PR's pipeline to look; for a PR that is not open now, only one that still runs. Without a server the change
 * stands, and the sweep sees it when one is there.
 */
export async function tellPipeline(
  context: CommandContext,
  installation: Installation,
  { repo, number, state }: Pick<PullRequest, 'repo' | 'number' | 'state'>,
  kind: string,
): Promise<void> {
  await withServerIfAny(context, installation, async (connected) => {
    if (connected === null) {
      context.output.note('No server is running: the sweep will see this as soon as `switchyard up` runs.')
      return
    }
    const id = `cli:${kind}:${context.now().toISOString()}`
    if (state === 'open') await connected.pipelines.lookAtPullRequest(repo, number, { id, kind })
    else await connected.pipelines.remindPullRequest(repo, number, { id, kind })
  })
}
