import { parseArgs } from 'node:util'
import { benchLand } from './land/land.ts'
import { cleanEnvironment } from './surroundings.ts'

const usage = `Usage: npm run bench -- land [--prs n] [--rounds n] [--files a,b] [--json]

Measures against a peer and a floor, in rotated rounds of one run, and prints the ratios.

  land      landing approved pull requests that have their evidence: ours, the same git
            effects by a bare script, and a worktree per pull request

Options:
  --prs     pull requests in each round (200)
  --rounds  rounds; every figure is the median of them (3)
  --files   files in the repositories, one size after the other (1000,4000)
  --json    one JSON document on stdout; progress stays on stderr

Exit code: 0 when every target is met, 1 when one is missed, 2 for a wrong call.

Example: npm run bench -- land --prs 50 --rounds 1 --files 1000
`

class UsageError extends Error {}

async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv)
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (positionals.length !== 1 || positionals[0] !== 'land') throw new UsageError('say what to measure: land')
  const options = {
    prs: count('--prs', values.prs, 2_000),
    rounds: count('--rounds', values.rounds, 20),
    files: values.files.split(',').map((each) => count('--files', each, 100_000)),
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  }
  cleanEnvironment()
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const { document, text, met } = await benchLand({ ...options, say, signal: stop.signal })
  process.stdout.write(values.json ? `${JSON.stringify(document, null, 2)}\n` : text)
  return met ? 0 : 1
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        prs: { type: 'string', default: '200' },
        rounds: { type: 'string', default: '3' },
        files: { type: 'string', default: '1000,4000' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function count(name: string, text: string, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value <= max) return value
  throw new UsageError(`${name} must be a whole number from 1 to ${max}, not ${JSON.stringify(text)}`)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const wrongCall = error instanceof UsageError
  process.stderr.write(`bench: ${error instanceof Error ? (wrongCall ? error.message : error.stack) : String(error)}\n`)
  if (wrongCall) process.stderr.write(usage)
  process.exitCode = wrongCall ? 2 : 3
}
