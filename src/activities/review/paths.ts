import picomatch from 'picomatch'
import { pathGlobs } from '#domain/rules/globs'

/** Answers the first of the patterns that a path matches. */
export function pathMatcher(patterns: readonly string[]): (path: string) => string | null {
  const matchers = patterns.map((pattern) => ({ pattern, matches: picomatch(pathGlobs(pattern), { dot: true }) }))
  return (path) => matchers.find(({ matches }) => matches(path))?.pattern ?? null
}
