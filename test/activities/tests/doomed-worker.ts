import { join } from 'node:path'
import { createFileLogStore } from '#activities/logs/files'
import { createCommandRunner } from '#activities/tests/runner'

/** A worker of its own process, for tests that kill it: argv is home, git directory, commit, isolation, command, `network` if it has one. */
const [home = '', gitDir = '', commit = '', isolation = '', run = '', network] = process.argv.slice(2)
const runner = createCommandRunner({
  home,
  isolation: isolation === 'none' ? 'none' : 'required',
  slots: 1,
  logs: createFileLogStore(join(home, 'logs')),
  env: process.env,
})
await runner.recover()
await runner.run({
  repo: 'shop',
  gitDir,
  commit,
  trusted: commit,
  policy: { run, setup: null, keep: null, timeout: 60_000, retries: 0, network: network === 'network', env: [] },
  stdin: null,
  env: {},
  logName: 'doomed',
  signal: new AbortController().signal,
  onStage: ({ stage }) => process.stdout.write(`${stage}\n`),
})
