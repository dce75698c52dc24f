import { randomUUID } from 'node:crypto'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Instant, Sha } from '#domain/pull-request'

/** One line of the hook. `direct`: a push to a protected branch that its maker asked to be let through. */
export type SpooledPush = {
  ref: string
  from: Sha
  to: Sha
  process: string
  direct: { at: Instant; actor: string } | null
}

export function spoolOf(gitDir: string): string {
  return join(resolve(gitDir), 'switchyard', 'pushes')
}

/**
 * Takes what the hooks wrote. The file is renamed first, so that a hook makes a new one. A hook that had it open may
 * still write behind what is read here; so a taken file stays until the next call, which reads the rest.
 */
export async function takeSpool(spoolFile: string): Promise<SpooledPush[]> {
  const folder = dirname(spoolFile)
  const prefix = `${basename(spoolFile)}.taken.`
  const names: string[] = await readdir(folder).catch(() => [])
  if (!names.some((name) => name.startsWith(basename(spoolFile)))) return []
  const lines: string[] = []
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const claimed = join(folder, `${basename(spoolFile)}.last.${randomUUID()}`)
    if (!(await renameIfThere(join(folder, name), claimed))) continue
    const content = await readFile(claimed)
    lines.push(
      ...content
        .subarray(Number(name.slice(prefix.length).split('.')[0]))
        .toString('utf8')
        .split('\n'),
    )
    await rm(claimed, { force: true })
  }
  const reading = join(folder, `${basename(spoolFile)}.reading.${randomUUID()}`)
  if (names.includes(basename(spoolFile)) && (await renameIfThere(spoolFile, reading))) {
    const content = await readFile(reading)
    const whole = content.subarray(0, content.lastIndexOf('\n') + 1)
    lines.push(...whole.toString('utf8').split('\n'))
    await rename(reading, join(folder, `${prefix}${whole.length}.${randomUUID()}`))
  }
  return lines.flatMap(parseLine)
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function parseLine(line: string): SpooledPush[] {
  const [kind, at, ref = '', from = '', to = '', process = '', actor = ''] = line.split('\t')
  const isSha = /^[0-9a-f]{40}$/
  if (kind !== 'push' || !ref.startsWith('refs/') || !isSha.test(from) || !isSha.test(to)) return []
  return [{ ref, from, to, process, direct: at ? { at, actor } : null }]
}
