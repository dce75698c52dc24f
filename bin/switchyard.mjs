#!/usr/bin/env node
// The `switchyard` command, of a clone and of the installed package. In a clone the dependencies are installed first;
// the Temporal CLI is made only when a command needs a server.
import { existsSync } from 'node:fs'
import { ensureDependencies, ensureNode, runScript } from '../scripts/bootstrap.mjs'

const inClone = existsSync(new URL('../src/client/main.ts', import.meta.url))

try {
  if (inClone) ensureDependencies()
  const node = ensureNode()
  if (inClone || node !== process.execPath) {
    await runScript(node, inClone ? 'src/client/main.ts' : 'dist/client/main.js', process.argv.slice(2))
  } else {
    // Here and now: a process less for each command, and in a container the one that gets the signals.
    process.env.NODE_NO_WARNINGS = '1'
    process.removeAllListeners('warning')
    await import('../dist/client/main.js')
  }
} catch (error) {
  process.stderr.write(`switchyard: ${error.message}\n`)
  process.exitCode = 2
}
