import type { Installation } from '#installation/installation'
import type { CommandContext } from './context.ts'
import { FileTail } from './file-tail.ts'
import { toJson } from './output.ts'
import { sleep } from './sleep.ts'

const EVERY_MS = 500

/**
 * Prints what the checks of a PR print while they run, until Ctrl-C: the newest log of each check, then what comes. Only
 * those that run on this host are seen. With `--json` one document a line.
 */
export async function followChecks(
  context: CommandContext,
  { logs }: Installation,
  { repo, number }: { repo: string; number: number },
  wanted: string | undefined,
): Promise<never> {
  const found = async () =>
    (await logs.ofPullRequest(repo, number)).filter(({ check }) => wanted === undefined || check === wanted)
  const newest = new Map((await found()).map((log) => [log.check, log.uri]))
  const tails = new Map<string, FileTail | null>()
  let last = ''
  for (const { check, uri } of await found()) if (newest.get(check) !== uri) tails.set(uri, null)
  for (;;) {
    for (const { check, uri, path } of await found()) {
      if (!tails.has(uri)) tails.set(uri, new FileTail(path))
      const text = (await tails.get(uri)?.read()) ?? ''
      if (text === '') continue
      if (context.output.json) {
        context.stdout.write(`${toJson({ check, log: uri, text }, 0)}\n`)
        continue
      }
      if (last !== uri)
        context.output.line({ text: `${check}  `, style: 'bold' }, { text: `of ${repo}#${number}`, style: 'dim' })
      last = uri
      context.output.block(text)
    }
    await sleep(EVERY_MS, context.signal)
  }
}
