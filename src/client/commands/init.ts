import { constants } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { detectPolicy, type DetectedPolicy } from '#config/detect'
import { parsePolicy, policyFileName } from '#config/policy'
import { ConfigError } from '#config/problems'
import { renderPolicyFile, schemaFolder } from '#config/render'
import { initialPolicyFile } from '#installation/policies'
import type { CommandContext, ExitCode } from '../context.ts'
import { allOrNothing, chooseTarget, register, remoteName, type Seed, type Target, type Undo } from '../register.ts'
import { namesSchema, writeSchema } from '../schema-file.ts'
import { seedLocalForge } from '../seed.ts'
import { userGit } from '../user-git.ts'

export type Init = { name?: string; base?: string }

type Policy = {
  text: string
  detected: DetectedPolicy
  /** Whether the working copy has the file. */
  there: boolean
  /** Whether the base branch has it. */
  landed: boolean
  bases: string[]
}

/** Looks, then writes all or nothing: both files, the forge with the base in it, and the remote. Harmless to repeat. */
export async function run(context: CommandContext, input: Init, seed: Seed = seedLocalForge): Promise<ExitCode> {
  const target = await chooseTarget(context, context.cwd, input)
  const policy = await choosePolicy(context, target)
  const made = await allOrNothing(async (undo) => [
    ...(await register(context, { ...target, protectedBranches: policy.bases }, seed, undo)),
    ...(await writePolicies(target, policy, undo)),
  ])
  report(context, target, policy, made)
  return 0
}

async function choosePolicy({ env }: CommandContext, target: Target): Promise<Policy> {
  const file = join(target.top, policyFileName)
  const text = await readOrNull(file)
  const detected = await detectPolicy({ read: (path) => readOrNull(join(target.top, path)) })
  if (text === null) {
    const derived = renderPolicyFile(detected, { base: target.base })
    return { text: derived, detected, there: false, landed: false, bases: [target.base] }
  }
  const parsed = parsePolicy(text, file)
  if (!parsed.ok) throw new ConfigError(parsed.problems)
  const onBase = `refs/heads/${target.base}:${policyFileName}`
  const landed = (await userGit({ cwd: target.top, env }, 'cat-file', '-e', onBase)) !== null
  return { text, detected, there: true, landed, bases: [...new Set([target.base, ...parsed.policy.base])] }
}

/** The copy in the home applies until the base branch has the file. */
async function writePolicies({ top, home, name }: Target, { text, there }: Policy, undo: Undo): Promise<string[]> {
  const made: string[] = []
  const initial = initialPolicyFile(home, name)
  if (await writeNew(initial, text, undo)) made.push(initial)
  const own = join(top, policyFileName)
  if (!there && (await writeNew(own, text, undo))) made.push(own)
  if (namesSchema(text)) made.push(...(await writeSchema(top, 'policy', undo)))
  return made
}

/** Whole or not at all, and never over a file that is there. */
async function writeNew(file: string, text: string, undo: Undo): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true })
  const partial = `${file}.${process.pid}.tmp`
  try {
    await writeFile(partial, text)
    await copyFile(partial, file, constants.COPYFILE_EXCL)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(partial, { force: true })
  }
  undo.push(() => rm(file, { force: true }))
  return true
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null
    throw error
  }
}

function report({ output }: CommandContext, target: Target, { detected, there, landed }: Policy, made: string[]): void {
  const { name, base, file, gitDir, top } = target
  const policyFile = join(top, policyFileName)
  output.line({ text: made.length === 0 ? `${name} was set up already.` : `${name} is set up.`, style: 'bold' })
  for (const one of made) output.line({ text: '  ✓ ', style: 'green' }, one)
  output.line(
    there ? `Its policy is its own ${policyFileName}.` : `Tests: ${detected.tests?.run ?? 'none'} (${detected.why})`,
  )
  output.line({ text: 'Next', style: 'bold' })
  for (const step of nextSteps(landed)) output.line('  $ ', step)
  output.document({
    repo: name,
    base,
    remote: { name: remoteName, url: gitDir },
    files: { installation: file, policy: policyFile },
    made,
    tests: detected.tests,
    why: detected.why,
  })
}

function nextSteps(hasPolicy: boolean): string[] {
  const branch = hasPolicy ? 'feature' : 'add-policy'
  const commit = hasPolicy
    ? 'git commit …'
    : `git add ${policyFileName} ${schemaFolder} && git commit -m 'Add the policy of Switchyard'`
  return [
    'switchyard doctor',
    'switchyard up --detach',
    `git switch -c ${branch} && ${commit}`,
    `git push ${remoteName} ${branch} && switchyard pr create --wait`,
  ]
}
