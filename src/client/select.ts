import { realpath } from 'node:fs/promises'
import { parseDuration } from '#config/units'
import type { Installation } from '#installation/installation'
import { distance } from 'fastest-levenshtein'
import type { CommandContext } from './context.ts'
import { CliError, usageError } from './errors.ts'
import { remotes, userEmail } from './user-git.ts'

/** The repository that a command is about: `--repo`, else the one of this folder, else the only one. */
export async function selectRepository(context: CommandContext, installation: Installation): Promise<string> {
  const names = installation.config.repositories.map((repository) => repository.name)
  if (context.flags.repo !== undefined) return knownRepository(context.flags.repo, names)
  const here = await repositoryHere(context, installation)
  if (here !== null) return here
  if (names.length === 1) return names[0]!
  if (names.length === 0) throw noRepository()
  throw usageError('Which repository?', `Say it with --repo: ${names.join(', ')}.`, { repositories: names })
}

export function noRepository(): CliError {
  const hint = 'Run `switchyard init` inside a git repository.'
  return new CliError(2, 'no-repository', 'This installation has no repository yet.', { hint })
}

/** The one of `--repo`, otherwise every repository. */
export async function selectRepositories(context: CommandContext, installation: Installation): Promise<string[]> {
  const names = installation.config.repositories.map((repository) => repository.name)
  return context.flags.repo === undefined ? names : [knownRepository(context.flags.repo, names)]
}

function knownRepository(name: string, names: string[]): string {
  if (names.includes(name)) return name
  throw new CliError(2, 'unknown-repository', `There is no repository ${quoted(name)} in this installation.`, {
    details: { repository: name, repositories: names },
    hint:
      nearest(name, names) ?? 'See `switchyard repo list`, or add it with `switchyard init` or `switchyard repo add`.',
  })
}

/** The registered repository whose remote one of this working copy's remotes is. */
async function repositoryHere(context: CommandContext, installation: Installation): Promise<string | null> {
  const urls = new Set(await Promise.all([...(await remotes(context)).values()].map(canonical)))
  if (urls.size === 0) return null
  for (const { name, remote } of installation.config.repositories) {
    if (urls.has(await canonical(remote))) return name
  }
  return null
}

/** The remote of this working copy that is a registered repository; null where there is none. */
export async function remoteOf(
  context: CommandContext,
  installation: Installation,
  repo: string,
): Promise<string | null> {
  const registered = installation.config.repositories.find(({ name }) => name === repo)
  const wanted = registered && (await canonical(registered.remote))
  for (const [name, url] of await remotes(context)) if ((await canonical(url)) === wanted) return name
  return null
}

async function canonical(remote: string): Promise<string> {
  const path = remote.replace(/^file:\/\//, '')
  if (!path.startsWith('/')) return remote
  return await realpath(path).catch(() => path)
}

/** `12`, `#12`, `shop#12` or `pr:shop#12`. */
export function parsePullRequest(text: string): { repo: string | null; number: number } {
  const match = /^(?:(?:pr:)?(?<repo>[^#]+)#|#)?(?<number>[1-9]\d{0,8})$/.exec(text)
  if (match?.groups) return { repo: match.groups.repo ?? null, number: Number(match.groups.number) }
  throw usageError(`${quoted(text)} is no pull request number.`, 'Give a number such as 12, #12 or shop#12.')
}

/** The PR that an argument names, in the repository that it or the flags name. */
export async function selectPullRequest(
  context: CommandContext,
  installation: Installation,
  text: string,
): Promise<{ repo: string; number: number }> {
  const { repo, number } = parsePullRequest(text)
  const named = repo === null ? context : { ...context, flags: { ...context.flags, repo } }
  return { repo: await selectRepository(named, installation), number }
}

/** Who acts: `--as`, else SWITCHYARD_USER, else git's `user.email`. */
export async function selectActor(context: CommandContext, as: string | undefined): Promise<string> {
  const actor = (as ?? (context.env.SWITCHYARD_USER || null) ?? (await userEmail(context)) ?? '').trim()
  if (actor === '') {
    throw usageError('Who acts?', 'Set `git config user.email`, or SWITCHYARD_USER, or give --as you@example.org.')
  }
  if (actor.length > 200 || /[\p{Cc}\p{Cf}]/u.test(actor))
    throw usageError('The actor has control characters or is too long.')
  return actor
}

/** `Did you mean …?`, or null when nothing is near. */
export function nearest(word: string, known: string[]): string | null {
  const ranked = known.map((name) => ({ name, steps: distance(word, name) })).sort((a, b) => a.steps - b.steps)
  const best = ranked[0]
  return best && best.steps <= Math.max(2, word.length / 3) ? `Did you mean ${best.name}?` : null
}

const quoted = (text: string): string => `"${text}"`

/** `90s`, `5m`, `2h`, in milliseconds. */
export function durationFlag(text: string, flag: string): number {
  const value = parseDuration(text)
  if (value !== null && value > 0) return value
  throw usageError(`${flag} takes a duration, not ${quoted(text)}.`, 'For example 90s, 5m, 2h or 7d.')
}
