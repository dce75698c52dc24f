import { setImmediate } from 'node:timers/promises'
import type { Finding } from '#domain/evidence'
import { maskSecrets, maskValue } from '#domain/mask'
import type { Commit, Sha } from '#domain/pull-request'
import type { SecretMatch } from '#domain/secret-patterns'
import { plainText } from '#domain/text'
import type { AddedLine, GitRepository } from '../git/port.ts'
import { parseAddedLines } from '../review/added-lines.ts'
import { createAllowances, type Allowances } from './allowances.ts'
import { detectSecrets } from './detect.ts'
import type { SecretScan, SecretScanner, SecretScanOutcome } from './port.ts'

/** Bytes of one commit's, or the whole diff's, added text that are held and scanned. */
const diffLimit = 32 * 1024 * 1024
/** Bytes of a file on a merge's other side that its lines are compared with. */
const otherSideLimit = 8 * 1024 * 1024

type Findings = {
  list: Finding[]
  /** Path and value: the same secret in later commits is the same finding, and stays with the earliest. */
  seen: Set<string>
  allowed: number
  allowances: Allowances
}

/** secretlint's preset and our patterns over what each commit of a PR adds, and over its diff as a whole. */
export function createSecretScanner(): SecretScanner {
  return {
    async scan({ git, base, head, allow, now, signal }: SecretScan): Promise<SecretScanOutcome> {
      const allowances = createAllowances(allow, now)
      const findings: Findings = { list: [], seen: new Set(), allowed: 0, allowances }
      const notes: string[] = []
      const commits = await git.commits(base, head)
      for (const commit of commits) {
        signal.throwIfAborted()
        const { lines, truncated } = await git.addedLines(commit.sha, diffLimit)
        if (truncated) notes.push(`only the first 32 MB that commit ${commit.sha.slice(0, 12)} adds were scanned`)
        const own = commit.parents.length > 1 ? await withoutOtherSides(git, commit, lines) : lines
        await scanLines(own, commit.sha, findings, signal)
      }
      const whole = await git.diff(base, head, diffLimit)
      if (whole.truncated) notes.push('only the first 32 MB of the whole diff were scanned')
      await scanLines(parseAddedLines(whole.text), head, findings, signal)
      const binary = (await git.changedFiles(base, head)).filter((file) => file.binary).length
      if (binary > 0) notes.push(`${binary} binary file${binary === 1 ? ' was' : 's were'} not scanned`)
      return {
        findings: findings.list,
        allowed: findings.allowed,
        expired: allowances.expired,
        commits: commits.length,
        notes: [...notes, ...allowances.notes()],
      }
    },
  }
}

/**
 * What a merge itself adds: lines that its first parent does not have, and none of the others either. Without this a
 * merge of the base into the PR would report the base's content again.
 */
async function withoutOtherSides(git: GitRepository, merge: Commit, lines: AddedLine[]): Promise<AddedLine[]> {
  let own = lines
  for (const parent of merge.parents.slice(1)) {
    const changed = new Set(await git.changedPaths(parent, merge.sha))
    const kept: AddedLine[] = []
    for (const [path, ofPath] of Map.groupBy(own, (line) => line.path)) {
      if (!changed.has(path)) continue
      const other = await linesAt(git, parent, path)
      kept.push(...ofPath.filter((line) => !other.has(line.text.replace(/\r$/, ''))))
    }
    own = kept
  }
  return own
}

async function linesAt(git: GitRepository, commit: Sha, path: string): Promise<Set<string>> {
  const content = await git.readFile(commit, path, otherSideLimit).catch(() => null)
  return new Set(content?.toString('utf8').split(/\r?\n/) ?? [])
}

async function scanLines(lines: AddedLine[], commit: Sha, findings: Findings, signal: AbortSignal): Promise<void> {
  for (const [path, ofPath] of Map.groupBy(lines, (line) => line.path)) {
    // Lets heartbeats and cancellation through.
    await setImmediate()
    const { text, lineAt } = joined(ofPath)
    for (const match of await detectSecrets(path, text, signal)) {
      report(findings, match, text.slice(match.start, match.end), { path, line: lineAt(match.start), commit })
    }
  }
}

function report(
  findings: Findings,
  match: SecretMatch,
  value: string,
  place: { path: string; line: number; commit: Sha },
): void {
  const key = JSON.stringify([place.path, value])
  if (findings.seen.has(key)) return
  findings.seen.add(key)
  if (findings.allowances.allows(value, `${place.path}:${match.rule}`)) {
    findings.allowed += 1
    return
  }
  findings.list.push({
    rule: match.rule,
    message: `${match.kind} ${maskValue(value)}`,
    path: maskSecrets(plainText(place.path)),
    line: place.line,
    commit: place.commit,
  })
}

/** The lines as one text, with an empty line where they are not neighbours, and the way back to line numbers. */
function joined(lines: AddedLine[]): { text: string; lineAt: (offset: number) => number } {
  const parts: string[] = []
  const starts: number[] = []
  let offset = 0
  let previous = lines[0]?.line ?? 1
  for (const { line, text } of lines) {
    if (line > previous + 1) {
      parts.push('')
      offset += 1
    }
    starts.push(offset)
    parts.push(text)
    offset += text.length + 1
    previous = line
  }
  const lineAt = (position: number): number => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= position) low = middle
      else high = middle - 1
    }
    return lines[low]?.line ?? 1
  }
  return { text: parts.join('\n'), lineAt }
}
