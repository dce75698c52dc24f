import type { TestProject } from 'vitest/node'
import { findPostgres, startPostgres } from './postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** null: not installed here, which only a developer's machine may be. */
    postgres: { url: string; bin: string } | null
  }
}

const HOW = 'Install it from your system, for example: apt-get install postgresql'

/** One PostgreSQL server for every test that needs one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bin = findPostgres()
  if (bin === null) {
    if (process.env['CI'] === 'true')
      throw new Error(`PostgreSQL is not installed, and no test is skipped in CI. ${HOW}`)
    console.warn(`\n  PostgreSQL IS NOT INSTALLED: the tests of the ledger on PostgreSQL are SKIPPED. ${HOW}\n`)
    project.provide('postgres', null)
    return async () => undefined
  }
  const server = await startPostgres(bin)
  project.provide('postgres', { url: server.url, bin })
  return () => server.remove()
}
