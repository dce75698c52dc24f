export const TEMPORAL_CLI_VERSION: string
/** The user's cache folder of Switchyard; outlives every checkout. */
export function cacheFolder(env?: NodeJS.ProcessEnv): string
export type FoundCli = { path: string; source: 'SWITCHYARD_TEMPORAL_CLI' | 'PATH' | 'cache' }
/** Where the CLI is now, without making anything. Throws when SWITCHYARD_TEMPORAL_CLI names no executable. */
export function findTemporalCli(env?: NodeJS.ProcessEnv): Promise<FoundCli | undefined>
/** Finds the CLI, or makes it: a download through the SDK, then a build with Go. Throws with both ways to supply it. */
export function provideTemporalCli(options?: {
  env?: NodeJS.ProcessEnv
  say?: (line: string) => void
  download?: (path: string) => string[]
}): Promise<string>
