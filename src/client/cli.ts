import { readFileSync } from 'node:fs'
import { Command as Grammar, CommanderError } from 'commander'
import type { CommandContext, ExitCode, GlobalFlags, Host } from './context.ts'
import type { CliError } from './errors.ts'
import { detached, toCliError, usageError } from './errors.ts'
import { defineClarifications } from './grammar/clarifications.ts'
import type { Perform } from './grammar/define.ts'
import { defineLooking } from './grammar/looking.ts'
import { definePolicies } from './grammar/policies.ts'
import { definePullRequests } from './grammar/pull-requests.ts'
import { defineRunning } from './grammar/running.ts'
import { createOutput, wantsColor } from './output.ts'

/** Runs one command line (without `node` and the script) and answers its exit code. Never throws. */
export async function runCli(args: string[], host: Host): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  const program = createProgram(host, async (load, input, { ownsInterrupt }) => {
    const flags = globalFlags(program)
    const context: CommandContext = { ...host, flags, output: outputFor(host, flags) }
    const { run } = await load()
    const done = run(context, input as never)
    exitCode = await (ownsInterrupt ? done : Promise.race([done, interruption(host.signal)]))
  })
  try {
    await program.parseAsync(args.length === 0 ? ['--help'] : args.map(explicitWait), { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const shown = error instanceof CommanderError ? await fromGrammar(error, program, args) : toCliError(error)
    outputFor(host, { json: args.includes('--json'), color: !args.includes('--no-color') }).error(shown)
    if (host.env.SWITCHYARD_DEBUG && error instanceof Error) host.stderr.write(`${error.stack}\n`)
    return shown.exitCode
  }
}

/** The whole grammar, without loading any command. */
export function createProgram(host: Pick<Host, 'stdout'>, perform: Perform): Grammar {
  const program = new Grammar('switchyard')
    .description('Takes a change from commit to production as durable workflows.')
    .version(version(), '--version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void host.stdout.write(text), writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .option('--config <file>', 'the installation: switchyard.yaml')
    .option('--repo <name>', 'the repository (may be left out inside one, or when there is only one)')
    .option('--json', 'one JSON document on stdout, errors as JSON on stderr')
    .option('--no-color', 'no colours')
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 rejected, failed or refused; 2 usage or configuration; 3 no server or no worker;\n' +
        "4 the time of --wait passed, or it is a person's turn; 130 interrupted.\n" +
        '\nExamples:\n  $ switchyard demo\n  $ switchyard init && switchyard up\n  $ switchyard pr create --wait',
    )
  defineRunning(program, perform)
  definePullRequests(program, perform)
  definePolicies(program, perform)
  defineClarifications(program, perform)
  defineLooking(program, perform)
  return program
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}

function globalFlags(program: Grammar): GlobalFlags {
  const { config, repo, json = false, color = true } = program.opts<Partial<GlobalFlags>>()
  return { json, color, ...(config === undefined ? {} : { config }), ...(repo === undefined ? {} : { repo }) }
}

function outputFor(host: Host, flags: Pick<GlobalFlags, 'json' | 'color'>) {
  return createOutput(host, { json: flags.json, color: wantsColor(host, flags.color), isTerminal: host.isTerminal })
}

/** `--wait` takes its value by the equals sign only, so that `pr merge --wait 12` is about PR 12. */
const explicitWait = (argument: string): string => (argument === '--wait' ? '--wait=' : argument)

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const interrupt = () => reject(detached('interrupted'))
    if (signal.aborted) interrupt()
    else signal.addEventListener('abort', interrupt, { once: true })
  })
}

/** The grammar's own complaints, with its suggestion as the hint. */
async function fromGrammar(error: CommanderError, program: Grammar, args: string[]): Promise<CliError> {
  if (error.code === 'commander.help')
    return usageError('Which command?', 'See `switchyard --help`, or `--help` behind a noun.')
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = rest.map((line) => line.replace(/^\((.*)\)$/, '$1')).join(' ')
  const { commandWords } = await import('./completion.ts')
  return usageError(sentenceOf(message), suggestion || `See \`${commandWords(program, args)} --help\`.`)
}

const badChoice =
  /^(?:option '(?:-\w, )?(--[\w-]+).*' argument|command-argument value) '(.*)' is invalid(?: for argument '(.*)')?\. Allowed choices are (.*)\.$/s

function sentenceOf(message: string): string {
  const [, flag, value, argument, choices] = badChoice.exec(message) ?? []
  if (choices !== undefined) return `${flag ?? `<${argument}>`} is one of ${choices}, not '${value}'.`
  return message.endsWith('.') ? message : `${message}.`
}
