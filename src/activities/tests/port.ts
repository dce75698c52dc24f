import type { CheckReport } from '#domain/check-report'
import type { CheckConclusion, LogReference } from '#domain/evidence'
import type { CommandPolicy } from '#domain/policy'
import type { Sha } from '#domain/pull-request'

export type CommandRun = {
  repo: string
  /** The bare repository that holds `commit` and `trusted`; the code that runs never sees it. */
  gitDir: string
  /** What is checked out. */
  commit: Sha
  /**
   * A commit that has landed. `setup` runs here when its lockfile is the same, so that a PR's code never makes the
   * kept paths of others.
   */
  trusted: Sha
  policy: CommandPolicy
  /** Given to the command, nothing more than it needs; null for none. */
  stdin: string | null
  /** Added to the clean environment. */
  env: Record<string, string>
  /** Written into the scratch folder before the command starts; the variable holds the path that it has there. */
  files?: readonly ScratchFile[]
  /** Names the log file; unique per attempt. */
  logName: string
  /** Aborts the run: its process group gets TERM, a grace, KILL. The promise then rejects with `signal.reason`. */
  signal: AbortSignal
  /** Called on progress: `setup`, `checkout`, `running` with the process id. */
  onStage: (stage: { stage: 'waiting' | 'checkout' | 'setup' | 'running'; pid: number | null }) => void
}

export type ScratchFile = { variable: string; name: string; content: string }

export type CommandOutcome = {
  conclusion: Exclude<CheckConclusion, 'interrupted'>
  /** One sentence: "exit code 1", "timed out after 15 m", "command not found: npm". */
  reason: string
  exitCode: number | null
  log: LogReference
  /** Standard output, the first MB, for reviewers that answer on it. Masked. */
  stdout: string
  /** What the command wrote where the policy's `report` says, read even when it is red. Null: none is declared. */
  report?: CheckReport | null
  /** Milliseconds. */
  duration: number
  isolated: boolean
}

/** Runs a repository's command in a pooled checkout of a commit, isolated as the installation says. */
export interface CommandRunner {
  run(input: CommandRun): Promise<CommandOutcome>
  /**
   * What isolation does here, for `doctor` and decisions: `required` works, or `none` with the reason. With
   * `network: 'shared'`, `setup` and checks with `network: true` can reach this host's services. `gaps`: what is not
   * isolated or limited as designed, each as a sentence.
   */
  isolation(): { mode: 'bubblewrap' | 'none'; network: 'own' | 'shared'; detail: string; gaps: readonly string[] }
  /**
   * A digest of what decides a command's outcome here besides its tree: isolation, PATH, versions of the tools on it.
   * A pass found in other surroundings is not reused.
   */
  surroundings(): Promise<string>
  /** Ends processes and locks that a killed worker of this host left in the pool. */
  recover(): Promise<void>
}
