import type { Forge } from '#activities/forge/port'
import type { Pipelines } from '#activities/pipelines/port'

const POLL_MS = 250
const BATCH = 100

/**
 * Carries the forge's hints to the pipelines. A hint may be lost here, when the process dies between taking and
 * telling: the sweep of `repositoryWatch` finds what it meant.
 */
export function startHintPump(options: {
  repositories: string[]
  forge: Forge
  pipelines: Pipelines
  onError: (error: unknown) => void
}): { stop(): Promise<void> } {
  const { repositories, forge, pipelines, onError } = options
  let stopped = false
  let wake = (): void => undefined

  async function drain(repo: string): Promise<void> {
    const hints = await forge.takeHints(repo, BATCH)
    const numbers = new Map(hints.flatMap((hint) => (hint.number === null ? [] : [[hint.number, hint]])))
    for (const [number, { id, kind }] of numbers) await tell(repo, number, { id, kind }).catch(onError)
  }

  /**
   * Starts nothing for a PR that has ended. One that merged is mostly the queue's own doing, and its report says more;
   * a merge by somebody else is found by the sweep.
   */
  async function tell(repo: string, number: number, hint: { id: string; kind: string }): Promise<void> {
    const pullRequest = await forge.getPullRequest(repo, number)
    if (pullRequest?.state === 'open') await pipelines.lookAtPullRequest(repo, number, hint)
    if (pullRequest?.state === 'closed') await pipelines.remindPullRequest(repo, number, hint)
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      for (const repo of repositories) await drain(repo).catch(onError)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  const running = loop()
  return {
    async stop() {
      stopped = true
      wake()
      await running
    },
  }
}
