import { createLogUpdate } from 'log-update'
import type { Client } from '@temporalio/client'
import { connect } from '#installation/connect'
import { searchAttributes } from '#contracts/search-attributes'
import type { InstallationPaths } from '#config/installation'
import type { CommandContext } from '../context.ts'

const REFRESH_MS = 2_000
const SHOWN = 15

/** Until the signal: on a terminal the open pull requests, refreshed; elsewhere nothing but the wait. */
export async function liveView(context: CommandContext, paths: InstallationPaths, signal: AbortSignal): Promise<void> {
  if (!context.output.isTerminal) return pause(signal, null)
  const installation = await context.openInstallation({
    cwd: context.cwd,
    env: { ...context.env, SWITCHYARD_HOME: paths.home },
  })
  const connected = await connect(installation, { env: context.env })
  const update = createLogUpdate(context.stdout as NodeJS.WriteStream)
  context.output.redirectNotes((line) => update.persist(line))
  try {
    while (!signal.aborted) {
      const lines = await openPullRequests(context, connected.client).catch(() => ['(the server does not answer)'])
      if (!signal.aborted) update(lines.join('\n'))
      await pause(signal, REFRESH_MS)
    }
  } finally {
    context.output.redirectNotes(null)
    update.done()
    await connected.close()
    await installation.close()
  }
}

async function openPullRequests({ output, now }: CommandContext, client: Client): Promise<string[]> {
  const query = "Pipeline = 'pullRequest' AND ExecutionStatus = 'Running'"
  const { count } = await client.workflow.count(query)
  const lines = [`${now().toISOString().slice(11, 19)}  ${count} open pull requests · Ctrl-C stops`]
  for await (const run of client.workflow.list({ query, pageSize: SHOWN })) {
    if (lines.length > SHOWN) break
    const phase = run.typedSearchAttributes.get(searchAttributes.Phase) ?? ''
    const waiting = run.typedSearchAttributes.get(searchAttributes.WaitingOn) ?? ''
    lines.push(output.render(`${run.workflowId.padEnd(24)} ${phase.padEnd(10)} ${waiting}`))
  }
  return lines
}

function pause(signal: AbortSignal, milliseconds: number | null): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = milliseconds === null ? setInterval(() => undefined, 60_000) : setTimeout(done, milliseconds)
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
