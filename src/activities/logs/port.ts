import type { LogReference } from '#domain/evidence'

/** A log that is being written. Text is masked across chunk borders; the first and last 5 MB are kept. */
export interface LogWriter {
  write(chunk: Buffer): void
  close(): Promise<LogReference>
}

/** Logs of long processes, outside history. A `uri` is `log:<name>`. */
export interface LogStore {
  create(name: string): Promise<LogWriter>
  /** null when it is unknown or was removed. */
  read(uri: string): Promise<Buffer | null>
  path(uri: string): string | null
}
