import type { Finding } from './evidence.ts'

/** Rules of the built-in criteria, as findings name them. */
export const reviewRules = {
  conflictMarkers: 'conflict-markers',
  fileSize: 'file-size',
  forbiddenPath: 'forbidden-path',
} as const

/** git writes seven of a kind, at the start of a line; the outer two carry a label. */
export const conflictMarker = { start: '<<<<<<< ', separator: '=======', end: '>>>>>>> ' } as const

export type ReviewedLine = { path: string; line: number; text: string }
export type ReviewedFile = { path: string; size: number }

/**
 * One finding per conflict that was committed, at its start marker. A line of `=======` alone underlines a heading,
 * so only start, separator and end in this order, all added to the same file, are a conflict.
 */
export function conflictMarkers(added: Iterable<ReviewedLine>): Finding[] {
  const findings: Finding[] = []
  let open: { path: string; line: number; separated: boolean } | null = null
  for (const { path, line, text } of added) {
    if (open !== null && open.path !== path) open = null
    if (text.startsWith(conflictMarker.start)) open = { path, line, separated: false }
    else if (open !== null && text.replace(/\r$/, '') === conflictMarker.separator) open.separated = true
    else if (open?.separated && text.startsWith(conflictMarker.end)) {
      const message = `conflict markers in lines ${open.line} to ${line}`
      findings.push(finding(reviewRules.conflictMarkers, message, path, open.line))
      open = null
    }
  }
  return findings
}

/** Files over `maxFileSize` bytes on the head's side. */
export function oversizedFiles(files: readonly ReviewedFile[], maxFileSize: number): Finding[] {
  return files
    .filter(({ size }) => size > maxFileSize)
    .map(({ path, size }) => {
      const message = `${spokenSize(size)}, more than the ${spokenSize(maxFileSize)} that the policy allows`
      return finding(reviewRules.fileSize, message, path, null)
    })
}

/** Changed, added or deleted paths that the policy forbids. `matches` answers the pattern that forbids a path. */
export function forbiddenPaths(paths: readonly string[], matches: (path: string) => string | null): Finding[] {
  return paths.flatMap((path) => {
    const pattern = matches(path)
    if (pattern === null) return []
    return [finding(reviewRules.forbiddenPath, `the policy forbids changes of ${pattern}`, path, null)]
  })
}

function finding(rule: string, message: string, path: string, line: number | null): Finding {
  return { rule, message, path, line, commit: null }
}

function spokenSize(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  // Rounded up, so that a file just over its limit does not read as the limit.
  return `${Math.ceil(value * 100) / 100} ${units[unit]}`
}
