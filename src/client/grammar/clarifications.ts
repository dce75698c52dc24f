import { Option, type Command as Grammar } from 'commander'
import { defineCommand, defineNoun, type Perform } from './define.ts'

const collect = (value: string, values: string[] = []) => [...values, value]
/** The flag again, or commas. */
const collectNames = (value: string, values: string[] = []) => [
  ...values,
  ...value.split(',').flatMap((name) => name.trim() || []),
]
const withActor = (command: Grammar, whose: string) =>
  command.option('--as <actor>', `${whose} (default: SWITCHYARD_USER, else git user.email)`)

export function defineClarifications(program: Grammar, perform: Perform): void {
  defineCommand(program, perform, {
    name: 'inbox',
    summary: 'List what waits for a person: questions, approvals, holds and escalations',
    examples: ['switchyard inbox', 'switchyard inbox --mine --watch', 'switchyard inbox --all --json'],
    load: () => import('../commands/inbox.ts'),
    input: (_, options) => options,
    ownsInterrupt: true,
    options: (command) =>
      withActor(
        command
          .option('--mine', 'what the actor may answer, and has not answered')
          .option('--watch', 'go on with what comes, until Ctrl-C; with --json one document a line')
          .option('--all', 'what has ended, too'),
        'whose inbox it is, with --mine',
      ),
  })
  defineCommand(program, perform, {
    name: 'answer <question> [value]',
    summary: 'Answer a question; without a value on a terminal it is shown and you are asked',
    examples: [
      'switchyard answer 3f2a91',
      'switchyard answer 3f2a91 yes --comment "until the fair"',
      'switchyard answer ask:3f2a91c04b5d6e7f approve --as ann',
      'switchyard answer 3f2a91 --delegate ben',
    ],
    load: () => import('../commands/answer.ts'),
    input: ([id, value], options) => ({ ...(options as object), id: id!, ...(value === undefined ? {} : { value }) }),
    options: (command) => {
      command.registeredArguments[1]!.description = 'one of its options, or any text where it has none'
      return withActor(command, 'who answers')
        .option('--comment <text>', 'why, with a value')
        .option('--delegate <name>', 'instead of a value: this person or group may answer, too')
        .option('--remark <text>', 'instead of a value: say something about it, such as what is unclear')
    },
  })
  defineAsking(program, perform)
  defineRemembering(program, perform)
}

function defineAsking(program: Grammar, perform: Perform): void {
  defineCommand(program, perform, {
    name: 'ask <title>',
    summary: 'Ask a person, for a script; with --wait exit code 0 answered, 1 expired, 4 parked or time passed',
    examples: [
      'switchyard ask "Deploy to production?" --options yes,no --who release-managers --wait=2h',
      'switchyard ask "Which region?" --option eu=Europe --option us="United States" --default eu --expires 30m --wait --json',
      'git diff | switchyard ask "Is this right?" --kind approval --context-file - --needed 2 --key "check-$BUILD"',
    ],
    load: () => import('../commands/ask.ts'),
    input: ([title], options) => ({ ...(options as { kind: 'question' | 'approval' }), title: title! }),
    ownsInterrupt: true,
    options: (command) => withEnds(withQuestion(command)),
  })
}

const withQuestion = (command: Grammar) =>
  command
    .option('--options <values>', 'what may be answered, with commas (default: any text)', collectNames)
    .option('--option <value=label>', 'one with a label; may be given more than once', collect)
    .option('--context <markdown>', 'what one must know to answer')
    .option('--context-file <file>', 'the same from a file; - is standard input')
    .option('--who <names>', 'people and groups who may answer, with commas (default: anybody)', collectNames)
    .option('--needed <number>', 'so many of them must give the same answer (default: 1)')
    .option('--key <text>', 'asked again with the same key it is the same question, in the whole installation')
    .addOption(new Option('--kind <kind>', 'what it is').choices(['question', 'approval']).default('question'))
    .option('--urgent', 'reminders do not wait for working hours')

const withEnds = (command: Grammar) =>
  withActor(
    command
      .option('--default <value>', 'taken at expiry, unless --at-expiry says otherwise')
      .option('--remind-after <duration>', 'the first reminder (default: 10m)')
      .option('--escalate-after <duration>', 'between the names of --escalate-to (default: 30m)')
      .option('--escalate-to <names>', 'people and groups who may answer as well, one after the other', collectNames)
      .option('--expires <duration>', 'such as 2h (default: question 30m, approval 7d)')
      .addOption(
        new Option('--at-expiry <what>', 'when nobody answered (default: question park, approval fail)').choices([
          'default',
          'fail',
          'park',
        ]),
      )
      .addOption(
        new Option('--remember <where>', 'use the answer again for the same title and context in').choices([
          'repository',
          'installation',
        ]),
      )
      .option('--wait [duration]', 'block until it is answered; --wait=10m for at most that long; Ctrl-C detaches'),
    'who asks',
  )

function defineRemembering(program: Grammar, perform: Perform): void {
  const answers = defineNoun(program, 'answers', 'The answers that are used again', ['switchyard answers list'])
  defineCommand(answers, perform, {
    name: 'list',
    summary: 'List the answers that are used again where the same is asked',
    examples: ['switchyard answers list', 'switchyard answers list --json'],
    load: () => import('../commands/answers-list.ts'),
    input: () => ({}),
  })
  defineCommand(answers, perform, {
    name: 'forget <answer>',
    summary: 'Forget one: the next time people are asked again',
    examples: ['switchyard answers forget 0a1b2c3d4e5f'],
    load: () => import('../commands/answers-forget.ts'),
    input: ([id], options) => ({ ...(options as object), id: id! }),
    options: (command) => withActor(command, 'who acts'),
  })
}
