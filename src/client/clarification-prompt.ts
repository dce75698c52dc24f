import { createInterface } from 'node:readline/promises'
import type { InboxRow } from './clarifications.ts'
import type { WholeClarification } from './clarification-whole.ts'
import { printClarification, printOptions } from './clarification-render.ts'
import type { CommandContext } from './context.ts'
import { CliError } from './errors.ts'

/** Whether a person sits there who can be asked. */
export function canPrompt({
  stdin,
  isTerminal,
  output,
}: Pick<CommandContext, 'stdin' | 'isTerminal' | 'output'>): boolean {
  return isTerminal && !output.json && (stdin as NodeJS.ReadStream).isTTY === true
}

/** Shows what is asked and reads a line until it is an answer: an option by its number, its value or its label. */
export async function promptAnswer(context: CommandContext, row: WholeClarification): Promise<string> {
  const { output, now } = context
  printClarification(output, row, now())
  const { options } = row
  const question = options.length === 0 ? 'Your answer: ' : `Your answer (1 to ${options.length}): `
  for (;;) {
    const line = await promptLine(context, question)
    const chosen = chosenOption(row, line)
    if (chosen !== null) return chosen
    if (line !== '') printOptions(output, row)
  }
}

function chosenOption({ options }: InboxRow, line: string): string | null {
  if (options.length === 0) return line === '' ? null : line
  const wanted = line.toLowerCase()
  const exact = options.find(({ value }) => value === line) ?? options[Number(line) - 1]
  const named = options.filter(({ value, label }) => [value, label].some((word) => word.toLowerCase() === wanted))
  return exact?.value ?? (named.length === 1 ? named[0]!.value : null)
}

/** One line, without the blanks around it. Ctrl-C and Ctrl-D end the command: nothing was said. */
export async function promptLine({ stdin, stdout, signal }: CommandContext, question: string): Promise<string> {
  const ended = new AbortController()
  const end = () => ended.abort()
  const lines = createInterface({ input: stdin, output: stdout, terminal: true })
  lines.once('SIGINT', end).once('close', end)
  try {
    return (await lines.question(question, { signal: AbortSignal.any([signal, ended.signal]) })).trim()
  } catch (error) {
    if (!signal.aborted && !ended.signal.aborted) throw error
    stdout.write('\n')
    throw new CliError(130, 'interrupted', 'nothing was answered')
  } finally {
    lines.close()
  }
}
