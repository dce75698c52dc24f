import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { installationFileName } from '#config/installation-file'
import { findInstallation, loadInstallation } from '#config/load'
import { parsePolicy, placedWarnings, policyFileName } from '#config/policy'
import { ConfigError, fileProblem, formatProblem, type ConfigProblem } from '#config/problems'
import type { KnownPerson } from '#domain/people'
import type { CommandContext, ExitCode } from '../context.ts'
import { topLevel } from '../user-git.ts'

export type PolicyCheck = { file?: string }

/** `policy check --json`: a file that is not there is null. */
export type Checked = {
  files: { installation: string | null; policy: string | null }
  policyDigest: string | null
  warnings: ConfigProblem[]
}

/** Both files as they are in the working tree; problems of either are exit code 2. Warnings are none. */
export async function run(context: CommandContext, { file }: PolicyCheck): Promise<ExitCode> {
  const installation = await checkInstallation(context)
  const policy = await checkPolicy(context, file, installation.people)
  const problems = [...installation.problems, ...policy.problems]
  if (problems.length > 0) throw new ConfigError(problems, policy.hint)
  const checked: Checked = {
    files: { installation: installation.file, policy: policy.file },
    policyDigest: policy.digest,
    warnings: policy.warnings,
  }
  print(context, checked)
  context.output.document(checked)
  return 0
}

async function checkInstallation({ cwd, env, flags }: CommandContext) {
  const paths = await findInstallation({ cwd, env, configFlag: flags.config })
  const loaded = await loadInstallation(paths)
  if (loaded.ok) return { file: paths.file, problems: [], people: loaded.config.people }
  return { file: paths.file, problems: loaded.problems, people: [] }
}

type CheckedPolicy = {
  file: string | null
  problems: ConfigProblem[]
  digest: string | null
  warnings: ConfigProblem[]
  hint?: string
}

async function checkPolicy(
  context: CommandContext,
  named: string | undefined,
  people: KnownPerson[],
): Promise<CheckedPolicy> {
  const { cwd, env } = context
  const file = named ?? join((await topLevel({ cwd, env })) ?? cwd, policyFileName)
  const nothing = { problems: [], digest: null, warnings: [] }
  let text
  try {
    text = await readFile(resolve(cwd, file), 'utf8')
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && named === undefined) return { ...nothing, file: null }
    return { ...nothing, file, problems: [fileProblem(file, `can't be read: ${code}`)], ...hintFor(named, missing) }
  }
  const parsed = parsePolicy(text, file)
  if (!parsed.ok) return { ...nothing, file, problems: parsed.problems, ...hintFor(named, wrong) }
  const warnings = placedWarnings(parsed.policy, people, text, file)
  return { file, problems: [], digest: parsed.digest, warnings }
}

const missing = 'Give the path of a file that is there.'
const wrong = 'Correct the file and run the command again.'

/** `doctor` looks at the files that are in use, and not at another one. */
function hintFor(named: string | undefined, hint: string): { hint?: string } {
  return named === undefined ? {} : { hint }
}

function print({ output }: CommandContext, { files, policyDigest, warnings }: Checked): void {
  const ok = { text: '✓', style: 'green' } as const
  if (files.installation === null) output.line(`- ${installationFileName}: none here, the defaults apply`)
  else output.line(ok, ` ${files.installation}`)
  if (files.policy === null) output.line(`- ${policyFileName}: none here, the policy from init applies`)
  else output.line(ok, ` ${files.policy}  ${policyDigest?.slice(0, 12) ?? ''}`)
  for (const warning of warnings) output.line({ text: '!', style: 'yellow' }, ` ${formatProblem(warning)}`)
}
