import type { LogReference } from '#domain/evidence'

/** A log that is being written. Text is masked across chunk borders; the first and last 5 MB are kept. */
export interface LogWriter {
  write(chunk: Buffer): void
  close(): Promise<LogReference>
}

/** Logs of long processes, outside history. A `uri` is `log:<name>`. */
export interface LogStore {
  /**
   * `name`: letters, digits, `.`, `_` and `-`; a log of the same name is replaced. `known`: secret values of this log
   * alone, masked besides those of the store. Throws for another name or a folder that can't be written.
   */
  create(name: string, known?: readonly string[]): Promise<LogWriter>
  /** null when it is unknown or was removed. */
  read(uri: string): Promise<Buffer | null>
  path(uri: string): string | null
  /** The logs of a PR's checks, also of those that still run, oldest first. */
  ofPullRequest(repo: string, number: number): Promise<{ check: string; uri: string; path: string }[]>
}
