import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { CommandContext } from './context.ts'
import { CliError, usageError } from './errors.ts'

export type BodyFlags = { body?: string; bodyFile?: string }

/** The text of `--body`, or of the file of `--body-file`, where `-` is standard input; undefined where neither is given. */
export async function bodyText(
  { cwd, stdin }: CommandContext,
  { body, bodyFile }: BodyFlags,
): Promise<string | undefined> {
  if (bodyFile === undefined) return body
  if (body !== undefined) throw usageError('The text is given twice.', 'Give --body or --body-file.')
  if (bodyFile === '-') return await text(stdin as AsyncIterable<string> & NodeJS.ReadableStream)
  try {
    return await readFile(resolve(cwd, bodyFile), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CliError(2, 'no-file', `The file "${bodyFile}" can't be read: ${code ?? String(error)}.`, {
      details: { file: bodyFile },
      cause: error,
    })
  }
}
