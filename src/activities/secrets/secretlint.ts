import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Commit, Sha } from '#domain/pull-request'
import { maskedText } from '#domain/mask'
import { piecesOf } from '../git/pieces.ts'
import type { AddedBlob, AddedText, Change, GitRepository } from '../git/port.ts'
import { looksLikeText, printableParts } from './binary.ts'
import { detectSecrets, detectTokens } from './detect.ts'
import { createFindings, type Findings } from './findings.ts'
import type { SecretScan, SecretScanner, SecretScanOutcome, TextScan } from './port.ts'

/** Bytes. `total`: of all that is scanned for one PR; `binary`: of one blob, which is held as a whole. */
export type ScanLimits = { total: number; binary: number }

const defaults: ScanLimits = { total: 256 * 1024 * 1024, binary: 10 * 1024 * 1024 }
/** Bytes that each piece counts for at least: it is remembered too. */
const leastCost = 1024
/** Bytes of a file on a merge's other side in which a secret is looked for. */
const otherSideLimit = 64 * 1024 * 1024
/** How many places that were not scanned are named. */
const maxNamed = 5

type Scan = {
  input: SecretScan
  limits: ScanLimits
  findings: Findings
  merges: Map<Sha, Commit>
  /** What was scanned already: the whole diff mostly repeats the commits. */
  known: Set<string>
  spent: number
  unscanned: string[]
}

/**
 * secretlint's preset and our patterns over what each commit of a PR adds and says, and over its diff as a whole. All
 * of it or an outcome that says what not: memory is bounded by taking a change piece by piece, time by a limit.
 */
export function createSecretScanner(limits: ScanLimits = defaults): SecretScanner {
  return {
    async scan(input: SecretScan): Promise<SecretScanOutcome> {
      const { git, base, head, allow, now } = input
      const commits = await git.commits(base, head)
      const findings = createFindings(allow, now)
      const merges = new Map(commits.filter(({ parents }) => parents.length > 1).map((merge) => [merge.sha, merge]))
      const scan: Scan = { input, limits, findings, merges, known: new Set(), spent: 0, unscanned: [] }
      const complete =
        (await scanMessages(scan, commits)) &&
        (await scanChange(scan, { commits: commits.map(({ sha }) => sha) })) &&
        (await scanChange(scan, { from: base, to: head, findRenames: false }))
      if (!complete) scan.unscanned.push(findings.full() ? 'what comes after the first findings' : overTotal(limits))
      return { ...findings.outcome(), commits: commits.length, unscanned: scan.unscanned }
    },

    async scanTexts({ texts, allow, now, signal }: TextScan) {
      const findings = createFindings(allow, now)
      for (const { name, text } of texts) {
        const place = { path: null, name, commit: null, lineAt: null }
        await findings.report(text, await detectSecrets(name, text, signal), place)
      }
      return findings.outcome()
    },
  }
}

/** Like the next two, answers whether it got to its end. */
async function scanMessages(scan: Scan, commits: Commit[]): Promise<boolean> {
  const { git, signal } = scan.input
  for (const { sha } of commits) {
    signal.throwIfAborted()
    const { message } = await git.commit(sha)
    if (!spend(scan, message.length)) return false
    const place = { path: null, name: 'commit message', commit: sha, lineAt: null }
    await scan.findings.report(message, await detectSecrets('message', message, signal), place)
  }
  return true
}

async function scanChange(scan: Scan, change: Change): Promise<boolean> {
  if ('commits' in change && change.commits.length === 0) return true
  for await (const added of scan.input.git.additions(change, scan.input.signal)) {
    const going = added.kind === 'text' ? await scanText(scan, added) : await scanBlob(scan, added)
    if (!going || scan.findings.full()) return false
  }
  return true
}

async function scanText(scan: Scan, added: AddedText): Promise<boolean> {
  const { path, text, commit, lineAt } = added
  if (isKnown(scan, path, createHash('sha1').update(text).digest('base64'))) return true
  if (!spend(scan, text.length)) return false
  const matches = await detectSecrets(path, text, scan.input.signal)
  await scan.findings.report(text, matches, { path, name: path, commit, lineAt }, ownSecrets(scan, added))
  return true
}

async function scanBlob(scan: Scan, added: AddedBlob): Promise<boolean> {
  const { path, blob, size, commit } = added
  if (isKnown(scan, path, blob)) return true
  if (size > scan.limits.binary) {
    if (!scan.findings.allowsUnscanned(path) && !(await cameFromOtherSide(scan, added))) leaveOut(scan, added)
    return true
  }
  const content = await scan.input.git.readBlob(blob, scan.limits.binary)
  if (looksLikeText(content)) {
    for (const piece of piecesOf(added, content)) {
      await setImmediate()
      if (!(await scanText(scan, piece))) return false
    }
    return true
  }
  if (!spend(scan, size)) return false
  const place = { path, name: path, commit, lineAt: null }
  for (const text of printableParts(content)) {
    const matches = await detectTokens(text, scan.input.signal)
    await scan.findings.report(text, matches, place, ownSecrets(scan, added))
  }
  return true
}

function isKnown(scan: Scan, path: string, content: string): boolean {
  const key = createHash('sha1').update(`${path}\0`).update(content).digest('base64')
  const known = scan.known.has(key)
  scan.known.add(key)
  return known
}

function spend(scan: Scan, bytes: number): boolean {
  scan.spent += Math.max(bytes, leastCost)
  return scan.spent <= scan.limits.total
}

function leaveOut(scan: Scan, { path, size, commit }: AddedBlob): void {
  const named = maskedText(path).slice(0, 200)
  if (scan.unscanned.length < maxNamed) scan.unscanned.push(`${named} (${size} bytes) of commit ${commit.slice(0, 12)}`)
  else if (scan.unscanned.length === maxNamed) scan.unscanned.push('and more files')
}

function overTotal({ total }: ScanLimits): string {
  return `what comes after the first ${Math.round(total / 1024 / 1024)} MB`
}

/**
 * What a merge itself adds: secrets that none of its other parents has in this file. Without this a merge of the base
 * into the PR would report the base's content again.
 */
function ownSecrets(scan: Scan, { commit, path }: AddedText | AddedBlob): (value: string) => Promise<boolean> {
  const others = scan.merges.get(commit)?.parents.slice(1) ?? []
  const contents = new Map<Sha, Buffer | null>()
  const { git } = scan.input
  return async (value) => {
    for (const other of others) {
      if (!contents.has(other)) contents.set(other, await readOther(git, other, path))
      if (contents.get(other)?.includes(value)) return false
    }
    return true
  }
}

async function readOther(git: GitRepository, commit: Sha, path: string): Promise<Buffer | null> {
  return git.readFile(commit, path, otherSideLimit).catch(() => null)
}

async function cameFromOtherSide(scan: Scan, { commit, path }: AddedBlob): Promise<boolean> {
  for (const other of scan.merges.get(commit)?.parents.slice(1) ?? []) {
    if (!(await scan.input.git.changedPaths(other, commit)).includes(path)) return true
  }
  return false
}
