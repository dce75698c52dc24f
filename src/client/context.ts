import type { Connected, Installation } from '#installation/installation'
import type { Output } from './output.ts'

/** What the process gives to the command line; tests give streams and fakes. */
export type Host = {
  cwd: string
  env: NodeJS.ProcessEnv
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
  /** Whether a person looks at `stdout`: colours and live lines only then. */
  isTerminal: boolean
  /** Throws `ConfigError`. */
  openInstallation(options: { cwd: string; env: NodeJS.ProcessEnv; configFlag?: string }): Promise<Installation>
  /** Throws `NoServerError`. */
  connect(installation: Installation, options?: { env?: NodeJS.ProcessEnv }): Promise<Connected>
  now(): Date
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

export type GlobalFlags = { config?: string; json: boolean; repo?: string; color: boolean }

/** What every command is given: the host, the flags that every command has, and where its output goes. */
export type CommandContext = Host & { flags: GlobalFlags; output: Output }

/** 0 done as asked; 1 negative outcome; 2 usage or configuration; 3 no server or worker; 4 time passed or a person's turn. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130 | 143

/** A command's file exports `run`. */
export type Command<Input> = (context: CommandContext, input: Input) => Promise<ExitCode>
