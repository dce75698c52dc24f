import type { CommandContext, ExitCode } from '../context.ts'
import { CliError } from '../errors.ts'
import { installationPaths } from '../installation-paths.ts'
import { clearStaleUp, readUp } from '../supervisor/lock.ts'
import { endProcess } from '#server/process-identity'
import { stopRecordedServer } from '#server/embedded'

/** Workers drain, then the server stops. */
const GRACE_MS = 60_000

/** `down`: stops what `up` runs, and what a killed one left behind. State stays. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { output } = context
  const { home } = await installationPaths(context)
  const found = await readUp(home)
  if (found?.state === 'alive') {
    output.note(`stopping process ${found.record.process.pid} …`)
    await endProcess(found.record.process, GRACE_MS)
    if ((await readUp(home))?.state === 'alive') throw new CliError(1, 'still-running', 'it did not stop')
  }
  const leftServer = await stopRecordedServer(home)
  await clearStaleUp(home)
  const wasRunning = found !== null || leftServer
  output.line(
    wasRunning ? 'Stopped. Everything that was under way goes on at the next `switchyard up`.' : 'Nothing was running.',
  )
  output.document({ home, stopped: wasRunning })
  return 0
}
