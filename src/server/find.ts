import type { ConnectionOptions } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { existsSync, realpathSync } from 'node:fs'
import { answers } from './embedded.ts'
import type { ServerAddress } from './port.ts'
import { embeddedAddress, readRecord, recordedProcess } from './record.ts'

export type FindServerOptions = {
  home: string
  env?: NodeJS.ProcessEnv
  /** Demo, tests and benchmarks never touch a server that the user's environment or profile names. */
  ignoreEnvironment?: boolean
}

const ANSWER_MS = 5_000

/**
 * The server to speak to: the one named by TEMPORAL_ADDRESS, TEMPORAL_PROFILE or the Temporal configuration file, else
 * the embedded one if it runs, else null. The external one is not tried.
 * @throws when TEMPORAL_PROFILE or the configuration file can't be read
 */
export async function findServer(options: FindServerOptions): Promise<ServerAddress | null> {
  const external = options.ignoreEnvironment ? null : findExternalServer(options.env ?? process.env)
  return external ?? findEmbeddedServer(options.home)
}

/** The server that the user's environment names, as for the `temporal` command; null when it names none. */
export function findExternalServer(env: NodeJS.ProcessEnv): ServerAddress | null {
  const { connectionOptions, namespace } = loadExternal(env)
  const named = connectionOptions.address ?? (env.TEMPORAL_PROFILE ? 'localhost:7233' : undefined)
  if (named === undefined) return null
  return {
    kind: 'external',
    address: named,
    namespace: namespace ?? 'switchyard',
    webUi: null,
    connection: defined({ ...connectionOptions, address: named }) as ConnectionOptions,
    pid: null,
  }
}

export async function findEmbeddedServer(home: string): Promise<ServerAddress | null> {
  if (!existsSync(home)) return null
  const record = await readRecord(realpathSync(home))
  const running = await recordedProcess(record)
  if (!record || !running || !(await answers(record, running, ANSWER_MS))) return null
  return embeddedAddress(record, running.pid)
}

function loadExternal(env: NodeJS.ProcessEnv) {
  const overrideEnvVars = defined(env) as Record<string, string>
  const file = env.TEMPORAL_CONFIG_FILE
  if (file && !existsSync(file))
    throw new Error(`TEMPORAL_CONFIG_FILE names ${file}, which is not there. Correct or unset it.`)
  try {
    return loadClientConnectConfig({ overrideEnvVars, disableFile: !file && !env.HOME && !env.XDG_CONFIG_HOME })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`the Temporal configuration can't be used: ${reason}. Check TEMPORAL_PROFILE and the file.`, {
      cause: error,
    })
  }
}

function defined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
