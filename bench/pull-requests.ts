import type { Bench } from './installation.ts'
import type { Change } from './template.ts'

export const AUTHOR = 'ada@example.test'

export async function openPullRequest(
  { installation }: Pick<Bench, 'installation'>,
  repo: string,
  { branch, title }: Change,
): Promise<number> {
  const request = { title, body: '', head: branch, base: 'main', author: AUTHOR, draft: false, labels: [] }
  const created = await installation.forge.createPullRequest(repo, request)
  if (created.outcome === 'refused') throw new Error(`${branch}: ${created.detail}`)
  return created.pullRequest.number
}
