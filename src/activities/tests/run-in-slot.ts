import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultLimits } from '#domain/limits'
import { runProcess } from '../process/run.ts'
import { emptyFolder, kindOf, removeFolder } from './folders.ts'
import { startedMark } from './isolation.ts'
import type { KeptPath } from './kept.ts'
import { recorded } from './leftovers.ts'
import { withLimits } from './limits.ts'
import { verdictOf, type Verdict } from './outcome.ts'
import type { ScratchFile } from './port.ts'
import type { RunContext } from './runner.ts'
import { makeStreams } from './streams.ts'
import { createWatch } from './watch.ts'

/** What a reviewer's answer on standard output may hold. */
const keptOutput = 1024 * 1024
const lastErrorBytes = 4096
/** In the command's home. */
const scratchFolder = 'switchyard'

export type SlotCommand = {
  shell: string
  stage: 'setup' | 'running'
  network: boolean
  kept: readonly KeptPath[]
}

/** Runs one command in a slot that is checked out, and writes its output to the run's log. */
export async function runInSlot(
  context: RunContext,
  command: SlotCommand,
): Promise<{ verdict: Verdict; stdout: string }> {
  const { input, slot, log, isolation } = context
  const { timeout, limits = defaultLimits } = input.policy
  const mark = join(slot.marks, startedMark)
  await removeFolder(mark)
  let lastErrors = Buffer.alloc(0)
  log.write(Buffer.from(`$ ${command.shell.trim()}\n`))
  const env = { ...context.passed, ...input.env }
  const kept = await withCaches(command.kept, slot.caches)
  const wrapped = isolation.wrap({ ...command, kept, slot, env, hidden: [input.gitDir], limits })
  const files = command.stage === 'running' ? (input.files ?? []) : []
  const scratch = await writeScratchFiles(slot.home, wrapped.env['HOME'] ?? slot.home, files)
  const streams = await makeStreams(slot.streams, command.stage === 'running' ? input.stdin : null)
  const watch = createWatch(limits, slot.temp)
  const result = await runProcess({
    ...wrapped,
    env: { ...wrapped.env, ...scratch },
    ...recorded(slot.record, wrapped.command, wrapped.args),
    ...streams,
    timeout,
    graceMs: context.graceMs,
    maxOutput: keptOutput,
    signal: input.signal,
    onStdout: log.write,
    onStderr(chunk) {
      log.write(chunk)
      lastErrors = Buffer.concat([lastErrors, chunk.subarray(-lastErrorBytes)]).subarray(-lastErrorBytes)
    },
    onSpawn(pid) {
      watch.start(pid)
      input.onStage({ stage: command.stage, pid })
    },
  }).finally(watch.stop)
  const started = isolation.mode === 'none' || (await kindOf(mark)) !== 'absent'
  const helper = command.network && isolation.network === 'own'
  const said = lastErrors.toString()
  const verdict = verdictOf({ shell: command.shell, timeout, started, helper }, result, said)
  const judged = withLimits(verdict, limits, watch.seen, { ...result, lastErrors: said })
  return { verdict: judged, stdout: wholeLines(result.stdout, result.stdout.length >= keptOutput) }
}

/**
 * In a folder made anew, for `setup` may have put a link in its place. Answers the variables that tell where they are
 * for the command, whose home `inside` is.
 */
async function writeScratchFiles(
  home: string,
  inside: string,
  files: readonly ScratchFile[],
): Promise<Record<string, string>> {
  if (files.length === 0) return {}
  const folder = join(home, scratchFolder)
  await emptyFolder(folder)
  for (const { name, content } of files) await writeFile(join(folder, name), content, { flag: 'wx', mode: 0o600 })
  return Object.fromEntries(files.map(({ variable, name }) => [variable, join(inside, scratchFolder, name)]))
}

async function withCaches(kept: readonly KeptPath[], folder: string) {
  const caches = kept.map(({ hasCache }, index) => (hasCache ? join(folder, String(index)) : null))
  for (const cache of caches) if (cache !== null) await mkdir(cache, { recursive: true })
  return kept.map((path, index) => ({ ...path, cache: caches[index] ?? null }))
}

/** Cut output ends at its last whole line: half a secret would not be recognised. */
function wholeLines(output: Buffer, cut: boolean): string {
  return (cut ? output.subarray(0, output.lastIndexOf('\n') + 1) : output).toString()
}
