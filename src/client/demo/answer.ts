import type { Connected } from '#installation/installation'
import type { CommandContext } from '../context.ts'
import { readPullRequestStatus } from '../status.ts'
import { sleep } from '../sleep.ts'

const POLL_MS = 100
const PATIENCE_MS = 60_000

/** Answers the question that a PR waits for, by `answer`, and waits until its pipeline has heard. */
export async function answerQuestion(
  { output, signal }: CommandContext,
  connected: Connected,
  { repo, number, by }: { repo: string; number: number; by: string },
  answer: (id: string) => Promise<void>,
): Promise<void> {
  const command = async () => (await readPullRequestStatus(connected, repo, number))?.waiting?.command ?? null
  const asked = await command()
  const id = /^switchyard answer (\S+) approve$/.exec(asked ?? '')?.[1]
  // Where it is not asked, the demo's table shows what happened instead.
  if (id === undefined) return
  output.note({ text: `#${number} waits for a person: ${asked} --as ${by}`, style: 'yellow' })
  await answer(id)
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    if ((await command()) !== asked) return
    await sleep(POLL_MS, signal)
  }
  throw new Error(`the pipeline of #${number} did not hear the answer within a minute`)
}
