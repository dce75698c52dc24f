import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.ts'
import { cleanEnvironment } from './surroundings.ts'

/** Imported when asked for: none pays for another. */
const benchmarks: Record<string, () => Promise<Benchmark>> = {
  land: async () => (await import('./land/land.ts')).land,
  pipeline: async () => (await import('./pipeline/pipeline.ts')).pipeline,
  cost: async () => (await import('./cost/cost.ts')).cost,
  recovery: async () => (await import('./recovery/recovery.ts')).recovery,
  cli: async () => (await import('./cli/cli.ts')).cli,
  waits: async () => (await import('./waits/waits.ts')).waits,
}

class UsageError extends Error {}

async function main(argv: string[]): Promise<number> {
  const [name = '', ...rest] = argv.filter((word) => word !== '--help' && word !== '-h')
  const chosen = benchmarks[name]
  if (argv.length > rest.length + 1 || argv[0] === '--help' || argv[0] === '-h') {
    process.stdout.write(await usage(chosen === undefined ? Object.keys(benchmarks) : [name]))
    return 0
  }
  if (chosen === undefined) throw new UsageError(`say what to measure: ${Object.keys(benchmarks).join(', ')}`)
  const benchmark = await chosen()
  const { values, json } = parse(benchmark, rest)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  }
  cleanEnvironment()
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const { document, text, met } = await benchmark.run(values, { say, signal: stop.signal })
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : text)
  return met ? 0 : 1
}

function parse({ options }: Benchmark, args: string[]): { values: Record<string, number[]>; json: boolean } {
  const texts = Object.entries(options).map(
    ([name, { fallback }]) => [name, { type: 'string', default: fallback }] as const,
  )
  try {
    const { values } = parseArgs({ args, options: { ...Object.fromEntries(texts), json: { type: 'boolean' } } })
    const { json, ...given } = values as Record<string, string> & { json?: boolean }
    const read = ([name, text]: [string, string]) => [name, numbers(name, text, options[name]!)]
    return { values: Object.fromEntries(Object.entries(given).map(read)), json: json ?? false }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function numbers(name: string, text: string, { max, list }: Benchmark['options'][string]): number[] {
  const found = (list ? text.split(',') : [text]).map(Number)
  if (found.every((value) => Number.isInteger(value) && value > 0 && value <= max)) return found
  throw new UsageError(`--${name} must be ${list ? 'whole numbers' : 'a whole number'} from 1 to ${max}, not "${text}"`)
}

async function usage(names: string[]): Promise<string> {
  const described = await Promise.all(names.map(async (name) => describe(name, await benchmarks[name]!())))
  return `Usage: npm run bench -- <benchmark> [options] [--json]

Measures against a peer or a floor, in rotated rounds of one run, and prints ratios and targets.

${described.join('\n\n')}

  --json  one JSON document on stdout; progress stays on stderr

Exit code: 0 when every target is met, 1 when one is missed, 2 for a wrong call, 3 when it could not measure.

Example: npm run bench -- land --prs 50 --rounds 1 --files 1000
`
}

function describe(name: string, { about, options }: Benchmark): string {
  const lines = Object.entries(options).map(
    ([option, { about, fallback }]) => `    --${option.padEnd(10)}${about} (${fallback})`,
  )
  return [`  ${name.padEnd(10)}${about}`, ...lines].join('\n')
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const wrongCall = error instanceof UsageError
  process.stderr.write(`bench: ${error instanceof Error ? (wrongCall ? error.message : error.stack) : String(error)}\n`)
  if (wrongCall) process.stderr.write('What there is: npm run bench -- --help\n')
  process.exitCode = wrongCall ? 2 : 3
}
