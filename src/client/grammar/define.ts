import type { Command as Grammar } from 'commander'
import type { Command, CommandContext, ExitCode } from '../context.ts'

/** Makes the context of a command from the global flags, runs it and keeps its exit code. */
export type Perform = (
  load: () => Promise<{ run: Command<never> }>,
  input: object,
  options: { ownsInterrupt?: boolean },
) => Promise<void>

type Load<Input> = () => Promise<{ run: (context: CommandContext, input: Input) => Promise<ExitCode> }>

/** One command of the grammar: words, one sentence, examples. Its file is imported only when it runs. */
export type Definition<Input> = {
  name: string
  summary: string
  /** Lines such as `switchyard pr list --state all`. */
  examples: string[]
  load: Load<Input>
  /** From commander's arguments and options to the command's input. */
  input: (args: string[], options: never) => Input
  options?: (command: Grammar) => Grammar
  /** It listens to Ctrl-C itself; others just end. */
  ownsInterrupt?: boolean
}

/** What may stand for each argument that commands take. */
const meanings: Record<string, string> = {
  pr: 'its number, or <repository>#<number>',
  id: 'a pull request (12, shop#12) or a pipeline (pr:shop#12, queue:shop@main, ask:3f2a91), as `runs` lists them',
  question:
    'its id as `inbox` lists it, or an unambiguous beginning of it of 4 characters or more, with or without `ask:`',
  title: 'what is asked, in one line',
  answer: 'its id as `answers list` shows it',
  what: '`pr` for the counts of reviewed pull requests',
  folder: 'a folder in the git repository',
  shell: 'the one that is to load it',
  words: 'a line to complete: what stands behind `switchyard` on it, its last word as far as it is written',
  name: 'as `repo list` shows it',
}

export function defineCommand<Input extends object>(
  parent: Grammar,
  perform: Perform,
  definition: Definition<Input>,
): Grammar {
  const { name, summary, examples, load, input, options, ownsInterrupt = false } = definition
  const command = parent.command(name).description(summary)
  for (const argument of command.registeredArguments) argument.description = meanings[argument.name()] ?? ''
  options?.(command)
  return command.addHelpText('after', helpOfExamples(examples)).action(async (...parameters: unknown[]) => {
    const values = parameters.at(-2) as never
    const args = parameters.slice(0, -2) as string[]
    await perform(load as unknown as Parameters<Perform>[0], input(args, values), { ownsInterrupt })
  })
}

/** A noun that only holds verbs. */
export function defineNoun(parent: Grammar, name: string, summary: string, examples: string[]): Grammar {
  return parent.command(name).description(summary).addHelpText('after', helpOfExamples(examples))
}

function helpOfExamples(examples: string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`
}
