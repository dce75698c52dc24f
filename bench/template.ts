import { cp, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { policyFileName } from '#config/policy'
import { initBareRepository, openRepository } from '#activities/git/repository'
import { runGit } from '#activities/git/run'

/** A bare repository with its changes as branches; each lane and round gets a copy. */
export type Template = {
  gitDir: string
  files: number
  /** The tip of `main` that every change branched from. */
  root: string
  /** A commit behind `root` that `main` moves to once all changes are approved: then every candidate is a new tree. */
  moved: string
  changes: Change[]
  /** A change that the queue takes first; its test waits for a file, so that the queue stands while all others enter. */
  gate: Change
}

export type Change = { branch: string; head: string; title: string }

export const gateBranch = 'open-the-gate'
const date = 'Ada Sample <ada@example.test> 1767225600 +0000'

export async function createTemplate(
  gitDir: string,
  options: { files: number; prs: number; policy: string },
): Promise<Template> {
  const { files, prs, policy } = options
  await initBareRepository(gitDir, { defaultBranch: 'main' })
  await runGit({ gitDir, args: ['fast-import', '--quiet', '--date-format=raw'], stdin: fastImport(files, prs, policy) })
  const refs = await openRepository(gitDir).refs('refs/heads/')
  const change = (branch: string): Change => ({
    branch,
    head: refs.get(`refs/heads/${branch}`)!,
    title: `Do ${branch}`,
  })
  return {
    gitDir,
    files,
    root: refs.get('refs/heads/main')!,
    moved: refs.get('refs/heads/moved')!,
    changes: Array.from({ length: prs }, (_, index) => change(branchOf(index))),
    gate: change(gateBranch),
  }
}

export async function copyTemplate({ gitDir }: Template, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await cp(gitDir, to, { recursive: true })
}

const branchOf = (index: number) => `change-${index + 1}`

function fastImport(files: number, prs: number, policy: string): string {
  const content = [
    policyFileName,
    policy,
    ...Array.from({ length: files }, (_, index) => [pathOf(index), textOf(index)]).flat(),
  ]
  const lines = [...commit('main', 'Start', null, content)]
  for (let index = 0; index < prs; index += 1) {
    const target = Math.floor((index * files) / prs)
    const path = target < files ? pathOf(target) : `new-${index}.txt`
    lines.push(
      ...commit(branchOf(index), `Do ${branchOf(index)}`, 'main', [path, `${textOf(target)}change ${index}\n`]),
    )
  }
  lines.push(...commit(gateBranch, 'Open the gate', 'main', ['gate', 'open\n']))
  lines.push(...commit('moved', 'Move on', 'main', ['moved', 'on\n']))
  return lines.join('\n')
}

function commit(branch: string, message: string, from: string | null, pathsAndTexts: string[]): string[] {
  const lines = [`commit refs/heads/${branch}`, `author ${date}`, `committer ${date}`, ...data(`${message}\n`)]
  if (from !== null) lines.push(`from refs/heads/${from}`)
  for (let at = 0; at < pathsAndTexts.length; at += 2) {
    lines.push(`M 100644 inline ${pathsAndTexts[at]}`, ...data(pathsAndTexts[at + 1]!))
  }
  return [...lines, '']
}

const data = (text: string) => [`data ${Buffer.byteLength(text)}`, text]

/** Fifty files to a folder, as sources often lie. */
const pathOf = (index: number) => `src/part-${Math.floor(index / 50)}/file-${index}.txt`

const textOf = (index: number) =>
  Array.from({ length: 20 }, (_, line) => `line ${line} of file ${index}`).join('\n') + '\n'
