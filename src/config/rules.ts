import picomatch from 'picomatch'
import type { ApprovalsRequired, Condition, Range, RulePolicy } from '#domain/rules/condition'
import { pathGlobs } from '#domain/rules/globs'
import type { RuleTools } from '#domain/rules/resolve'
import type { DeclaredApprovals, DeclaredCondition, DeclaredRule } from './schema-rules.ts'
import { openTimes, parseInstant, parseWindow } from './time-windows.ts'

/** `rules` as the policy keeps them: every name and every shorthand written out. */
export function resolveRuleList(declared: DeclaredRule[]): RulePolicy[] {
  const names = ruleNames(declared)
  return declared.map(({ if: condition, require }, index) => ({
    name: names[index]!,
    if: condition === undefined ? null : resolve(condition),
    require: Array.isArray(require) ? allOf(require) : resolve(require),
  }))
}

export function ruleNames(declared: DeclaredRule[]): string[] {
  const taken = new Set(declared.map(({ name }) => name))
  return declared.map(({ name }, index) => name ?? freeName(`rule-${index + 1}`, taken))
}

export function resolveApprovalsRequired(declared: DeclaredApprovals): ApprovalsRequired {
  if (typeof declared === 'number') return { count: declared, from: null }
  return { count: declared.count, from: declared.from ?? null }
}

function freeName(name: string, taken: Set<string | undefined>): string {
  return taken.has(name) ? freeName(`${name}'`, taken) : name
}

function allOf(declared: DeclaredCondition[]): Condition {
  const [only, ...more] = declared.map(resolve)
  return only !== undefined && more.length === 0 ? only : { kind: 'all', of: declared.map(resolve) }
}

/** The schema has made sure that exactly one of these is there. */
function resolve(declared: DeclaredCondition): Condition {
  const { all, any, not, if: condition, label, paths, author, group, size, base, time, approvals, check } = declared
  if (all) return { kind: 'all', of: all.map(resolve) }
  if (any) return { kind: 'any', of: any.map(resolve) }
  if (not) return { kind: 'not', of: resolve(not) }
  if (condition) {
    const otherwise = declared.else === undefined ? null : resolve(declared.else)
    return { kind: 'if', if: resolve(condition), then: resolve(declared.then!), else: otherwise }
  }
  if (label) return { kind: 'label', globs: [label].flat() }
  if (paths) return resolvePaths(paths)
  if (author) return { kind: 'author', names: [author].flat() }
  if (group) return { kind: 'group', names: [group].flat() }
  if (size) return { kind: 'size', files: resolveRange(size.files), lines: resolveRange(size.lines) }
  if (base) return { kind: 'base', globs: [base].flat() }
  if (time) return resolveTime(time)
  if (approvals !== undefined) return { kind: 'approvals', ...resolveApprovalsRequired(approvals) }
  return { kind: 'check', name: check! }
}

function resolvePaths(paths: NonNullable<DeclaredCondition['paths']>): Condition {
  if (typeof paths === 'string' || Array.isArray(paths)) return { kind: 'paths', globs: [paths].flat(), only: false }
  return { kind: 'paths', globs: [paths.only].flat(), only: true }
}

function resolveRange(range: { min?: number | undefined; max?: number | undefined } | undefined): Range | null {
  return range === undefined ? null : { min: range.min ?? null, max: range.max ?? null }
}

function resolveTime({ within = [], after, before, zone }: NonNullable<DeclaredCondition['time']>): Condition {
  return {
    kind: 'time',
    windows: [within].flat().map((window) => parseWindow(window)!),
    zone,
    after: after === undefined ? null : parseInstant(after, zone),
    before: before === undefined ? null : parseInstant(before, zone),
  }
}

/** Globs and time zones for the domain, which has neither. A pattern is compiled once for as long as they are kept. */
export function createRuleTools(): RuleTools {
  const compiled = new Map<string, (text: string) => boolean>()
  const matcher = (kind: string, globs: string[]) => {
    const key = `${kind}:${globs.join('\n')}`
    const known = compiled.get(key) ?? picomatch(globs, { dot: true, nonegate: true })
    compiled.set(key, known)
    return known
  }
  return {
    matchesName: (glob, name) => matcher('name', [glob])(name),
    matchesPath: (glob, path) => matcher('path', pathGlobs(glob))(path),
    openTimes,
  }
}
