#!/usr/bin/env node
// The `switchyard` command of a clone. The Temporal CLI is made only when a command needs a server.
import { ensureDependencies, ensureNode, runScript } from '../scripts/bootstrap.mjs'

try {
  ensureDependencies()
  await runScript(ensureNode(), 'src/client/main.ts', process.argv.slice(2))
} catch (error) {
  process.stderr.write(`switchyard: ${error.message}\n`)
  process.exitCode = 2
}
