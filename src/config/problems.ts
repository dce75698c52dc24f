/** One thing wrong in a configuration file. Lines and columns count from 1; `path` is dotted (`checks.tests.run`). */
export type ConfigProblem = {
  file: string
  line: number
  column: number
  path: string
  message: string
  hint?: string
}

/** `file:line:column: message (hint)`. */
export function formatProblem(problem: ConfigProblem): string {
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}${hint}`
}

/** A configuration that can't be used. The message is for people, one line for each problem. Exit code 2. */
export class ConfigError extends Error {
  readonly problems: ConfigProblem[]
  /** Where another than the usual way leads on. */
  readonly hint: string | undefined
  constructor(problems: ConfigProblem[], hint?: string) {
    super(problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
    this.hint = hint
  }
}

/** A problem with a file as a whole: it is missing or can't be read. */
export function fileProblem(file: string, message: string, hint?: string): ConfigProblem {
  return { file, line: 1, column: 1, path: '', message, ...(hint === undefined ? {} : { hint }) }
}
