import { resolve } from 'node:path'
import { z } from 'zod'
import { defaultTimings, type Timings } from '#contracts/timings'
import type { InstallationConfig } from './installation.ts'
import type { ConfigProblem } from './problems.ts'
import { people, resolvePeople } from './schema-people.ts'
import { duration } from './units.ts'
import { validateYaml } from './validate.ts'

export const installationFileName = 'switchyard.yaml'

const timing = (example: string) => duration({ max: 86_400_000, example }).optional()

const remoteExpected = 'must be the path of a bare repository on this machine'

/** Not what was found: a password may be in it. */
const ledgerExpected =
  'is neither sqlite nor an address such as postgres://user@host:5432/database ' +
  '(in its parts / is written as %2F, @ as %40, # as %23, ? as %3F, % as %25)'

const repository = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/i, {
      error: 'must be a name of letters, digits, dots, dashes and underscores that starts with a letter or digit',
      abort: true,
    })
    .max(100, { error: 'must have at most 100 characters' }),
  remote: z
    .string({ error: remoteExpected })
    .refine(isLocalPath, { error: remoteExpected })
    .describe('A bare repository; a relative path starts at the home folder of the installation'),
})

const timings = z
  .strictObject({
    sweep: timing('30s').describe('Between two sweeps of the forge; overrides `watch.every`'),
    enqueueAcknowledgement: timing('20s'),
    mergeableRetry: timing('2s'),
    heartbeat: timing('10m'),
    shortActivity: timing('10m'),
    infrastructureRetry: timing('2s'),
  } satisfies Record<keyof Timings, unknown>)
  .prefault({})
  .describe('For tests and tuning: the deadlines that pipelines keep')

/** `switchyard.yaml`. */
export const installationSchema = z.strictObject({
  $schema: z.string().optional(),
  forge: z
    .enum(['local'], {
      error: ({ input }) =>
        input === 'github' ? 'is github, which is not yet supported in this build; use local' : 'must be local',
    })
    .default('local')
    .describe('Where PRs live: `local` is bare git repositories on disk, without an account'),
  repositories: z.array(repository).superRefine(checkNames).default([]),
  ledger: z
    .string()
    .regex(/^(?:sqlite|postgres(?:ql)?:\/\/[^/?#\s]*\/[^/?#\s]+(?:\?[^#\s]*)?)$/, {
      error: ledgerExpected,
      abort: true,
    })
    .refine(canBeRead, { error: ledgerExpected })
    .default('sqlite')
    .describe(
      'Where the durable record is kept: `sqlite`, a file in the home folder, or a PostgreSQL database by its address; ' +
        'its password belongs into PGPASSWORD, a file of PGPASSFILE, or one of SWITCHYARD_LEDGER_PASSWORD_FILE',
    ),
  isolation: z
    .enum(['required', 'none'])
    .default('required')
    .describe('`none` runs the code of PRs without isolation: trusted code only'),
  watch: z
    .strictObject({
      every: duration({ max: 86_400_000, example: '30s' }).prefault('30s').describe('Between two sweeps of the forge'),
      review: duration({ max: 86_400_000, example: '5m' }).prefault('5m').describe('Between two rounds of `pr watch`'),
    })
    .prefault({}),
  people,
  timings,
})

export type ParsedInstallation = { ok: true; config: InstallationConfig } | { ok: false; problems: ConfigProblem[] }

/** Reads `switchyard.yaml` with every default filled in; relative remotes start at `home`. Never throws. */
export function parseInstallation(text: string, file: string, home: string): ParsedInstallation {
  const result = validateYaml(installationSchema, text, file)
  if (!result.ok) return result
  const { forge, repositories, ledger, isolation, watch, people, timings } = result.value
  return {
    ok: true,
    config: {
      forge,
      repositories: repositories.map(({ name, remote }) => ({ name, remote: resolve(home, remote) })),
      ledger,
      isolation,
      watch,
      people: resolvePeople(people, home),
      timings: { ...defaultTimings, sweep: watch.every, ...withoutUndefined(timings) },
    },
  }
}

function withoutUndefined(timings: { [Name in keyof Timings]?: number | undefined }): Partial<Timings> {
  return Object.fromEntries(Object.entries(timings).filter(([, value]) => value !== undefined))
}

/** Names differ by more than case: they become folder names, and some file systems ignore case. */
function checkNames(repositories: { name: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  for (const [index, { name }] of repositories.entries()) {
    const key = name.toLowerCase()
    if (seen.has(key)) context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is there twice' })
    seen.add(key)
  }
}

/** Whether the driver can take an address to pieces; one without a host names it among its parameters. */
function canBeRead(address: string): boolean {
  try {
    decodeURIComponent(address)
  } catch {
    return false
  }
  return address === 'sqlite' || URL.canParse(address.replace('@/', '@host/'))
}

/** No URL, no `host:path`, no option, no `~`, which nothing would expand. */
function isLocalPath(remote: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (remote.trim() === '' || /^[-~]|[\u0000-\u001f\u007f]/.test(remote)) return false
  return !/^[^/]*:/.test(remote)
}
