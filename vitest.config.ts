import { defineConfig } from 'vitest/config'

/** Tests in these folders speak to a Temporal server; only they wait for one to start. */
const onServer = [
  'test/{workflows,replay,e2e,bench}/**/*.test.ts',
  'test/hostile/pipeline/**/*.test.ts',
  'test/client/*.test.ts',
  'test/client/!(supervisor)/**/*.test.ts',
]

/** Kills and stops processes by the hundred, in lanes that fill the machine: it runs by itself, once all others ended. */
const sweep = ['test/e2e/{crash-points,mutations}.test.ts']
/** At once: a server on SQLite that has more to do than it can loses its connection to the database for good. */
const LANES = 5

/** Tests that speak to PostgreSQL, for which the run starts a server. */
const onPostgres = ['test/**/postgres*.test.ts']

/**
 * Where nobody can run it again: a deadline that a busy machine misses. What passes then is named as flaky at the end of the
 * run. The sweep is never run again: what it finds once is a finding.
 */
const RETRIES = process.env['CI'] ? 1 : 0

export default defineConfig({
  test: {
    // The SDK's native module crashes in worker threads.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: RETRIES,
    // The default on two cores is one, with which vitest also puts these projects behind those of a later group.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...onServer, ...onPostgres] } },
      { extends: true, test: { name: 'postgres', include: onPostgres, globalSetup: 'test/support/postgres-setup.ts' } },
      {
        extends: true,
        test: { name: 'server', include: onServer, exclude: sweep, globalSetup: 'test/support/global-setup.ts' },
      },
      {
        extends: true,
        test: {
          ...{ name: 'sweep', include: sweep, globalSetup: 'test/support/global-setup.ts' },
          ...{ maxConcurrency: LANES, maxWorkers: 1, retry: 0, sequence: { groupOrder: 1 } },
        },
      },
    ],
  },
})
