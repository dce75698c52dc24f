import type { Connected, Installation } from '#installation/installation'
import { isTurnOf, listClarifications, type InboxRow } from '../clarifications.ts'
import { printInbox } from '../clarification-render.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { createOutput, toJson, wantsColor } from '../output.ts'
import { selectActor, selectRepository } from '../select.ts'
import { withInstallation, withServer } from '../session.ts'
import { sleep } from '../sleep.ts'
import { isAway } from '../status.ts'

export type Inbox = { mine?: boolean; watch?: boolean; all?: boolean; as?: string }

const EVERY_MS = 2_000
/** Of the terminal's lines: the head, the line of what is left out, and the one of the cursor. */
const NOT_ROWS = 3

/** All that waits for a person, from Temporal's visibility alone: it works while no worker runs. */
export async function run(context: CommandContext, input: Inbox): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const repo = context.flags.repo === undefined ? null : await selectRepository(context, installation)
    const actor = input.mine ? await selectActor(context, input.as) : null
    const { people } = installation.config
    const read = async (connected: Connected): Promise<InboxRow[]> => {
      const all = await listClarifications(connected, { ended: input.all === true, repo })
      return all.filter((one) => actor === null || isTurnOf(one, actor, people)).map(({ row }) => row)
    }
    if (input.watch) return await watch(context, installation, read)
    const rows = await withServer(context, installation, read)
    printInbox(context.output, rows, context.now(), widthOf(context))
    context.output.document(rows)
    return 0
  })
}

/** Until Ctrl-C. Connects anew after a silence: a server that was started again may listen elsewhere. */
async function watch(
  context: CommandContext,
  installation: Installation,
  read: (connected: Connected) => Promise<InboxRow[]>,
): Promise<never> {
  const display = await createDisplay(context)
  let answered = false
  try {
    for (;;) {
      try {
        await withServer(context, installation, async (connected) => {
          for (;;) {
            const begun = performance.now()
            display.update(await read(connected))
            answered = true
            // Ten thousand rows take the server seconds: at most half of its time is ours.
            await sleep(Math.max(EVERY_MS, performance.now() - begun), context.signal)
          }
        })
      } catch (error) {
        if (!answered || !isAway(error)) throw error
        await sleep(EVERY_MS, context.signal)
      }
    }
  } finally {
    display.done()
  }
}

type Display = { update(rows: InboxRow[]): void; done(): void }

/** In place on a terminal; elsewhere the table again, and with `--json` one document a line, at each change. */
async function createDisplay(context: CommandContext): Promise<Display> {
  const { output, stdout, now, isTerminal } = context
  if (!isTerminal || output.json) {
    let shown = ''
    return {
      update(rows) {
        const line = toJson(rows, 0)
        if (line === shown) return
        shown = line
        if (output.json) stdout.write(`${line}\n`)
        else printInbox(output, rows, now())
      },
      done() {},
    }
  }
  const { createLogUpdate } = await import('log-update')
  const log = createLogUpdate(stdout as NodeJS.WriteStream)
  return {
    update(rows) {
      const fitting = Math.max(1, ((stdout as NodeJS.WriteStream).rows || 24) - NOT_ROWS)
      const more = rows.length - fitting
      log(`${rendered(context, rows.slice(0, fitting))}${more > 0 ? `… and ${more} more` : ''}`)
    },
    done: () => log.done(),
  }
}

function rendered(context: CommandContext, rows: InboxRow[]): string {
  let text = ''
  const write = (chunk: string) => (text += chunk)
  const stdout = { write } as unknown as NodeJS.WritableStream
  const color = wantsColor(context, context.flags.color)
  const output = createOutput({ stdout, stderr: stdout }, { json: false, color, isTerminal: true })
  printInbox(output, rows, context.now(), widthOf(context))
  return text
}

/** What a file or a pipe takes is as wide as it is. */
function widthOf({ stdout, isTerminal }: CommandContext): number {
  return (isTerminal && (stdout as NodeJS.WriteStream).columns) || Infinity
}
