// Runs the tests and prints `N passed, N failed` as the very last line.
//   npm test [-- arguments for vitest]
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Report = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: { status: string }[] }[]
}

const root = fileURLToPath(new URL('..', import.meta.url))
const GRACE_MS = 5_000

const folder = mkdtempSync(join(tmpdir(), 'switchyard-tests-'))
try {
  const output = join(folder, 'report.json')
  const exitCode = await runVitest(output, process.argv.slice(2))
  const { line, ok } = summarise(readReport(output), exitCode)
  process.stdout.write(`${line}\n`)
  process.exitCode = ok ? 0 : 1
} finally {
  // With retries: a server that was ended by a signal may still be writing its last.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}

function runVitest(output: string, args: string[]): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const flaky = join(root, 'scripts', 'flaky-reporter.ts')
  const reporters = ['--reporter=default', `--reporter=${flaky}`, '--reporter=json', `--outputFile.json=${output}`]
  // A group of its own, so that a signal to us can end vitest together with the processes that run the tests.
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    // What an interrupted test leaves in the temporary folder goes with ours.
    env: { ...process.env, TMPDIR: folder },
  })
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      process.kill(-(child.pid as number), signal)
    } catch {
      // ESRCH: nothing is left of the group.
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signalGroup('SIGTERM')
      setTimeout(() => signalGroup('SIGKILL'), GRACE_MS).unref()
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      signalGroup('SIGKILL')
      resolve(code ?? 1)
    })
  })
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch {
    return null
  }
}

/** A file that could not be loaded has no tests to count, and counts as one failure; so does a crash of vitest itself. */
function summarise(report: Report | null, exitCode: number): { line: string; ok: boolean } {
  const passed = report?.numPassedTests ?? 0
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
  const broken = report?.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length
  const counted = (report?.numFailedTests ?? 0) + (broken ?? 0)
  const failed = counted === 0 && exitCode !== 0 ? 1 : counted
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
  return { line, ok: failed === 0 && passed > 0 }
}
