import { Option, type Command as Grammar } from 'commander'
import { defineCommand, defineNoun, type Perform } from './define.ts'

export function defineLooking(program: Grammar, perform: Perform): void {
  const queue = defineNoun(program, 'queue', 'The merge queue of a base branch', ['switchyard queue show'])
  defineCommand(queue, perform, {
    name: 'show',
    summary: 'Show what is in the merge queue, and what each entry waits for',
    examples: ['switchyard queue show', 'switchyard queue show --branch main --json'],
    load: () => import('../commands/queue-show.ts'),
    input: (_, options) => options,
    options: (command) => command.option('--branch <name>', "the base branch (default: the repository's)"),
  })
  defineCommand(program, perform, {
    name: 'status [what]',
    summary: 'Show the server, the workers and the open pull requests; `status pr` counts reviews',
    examples: ['switchyard status', 'switchyard status pr --json'],
    load: () => import('../commands/status.ts'),
    input: ([what]) => (what === undefined ? {} : { what }),
  })
  defineCommand(program, perform, {
    name: 'runs',
    summary: 'List the runs of pipelines, newest first',
    examples: ['switchyard runs', 'switchyard runs --pipeline pullRequest --state all --limit 50'],
    load: () => import('../commands/runs.ts'),
    input: (_, options) => options,
    options: (command) =>
      command
        .option('--pipeline <name>', 'pullRequest, mergeQueue, repositoryWatch or clarification')
        .addOption(new Option('--state <state>', 'which').choices(['open', 'closed', 'all']).default('open'))
        .option('--limit <number>', 'at most so many', '100'),
  })
  defineCommand(program, perform, {
    name: 'view <id>',
    summary: "Show one pipeline's run",
    examples: ['switchyard view pr:shop#12', 'switchyard view queue:shop@main'],
    load: () => import('../commands/view.ts'),
    input: ([id]) => ({ id: id! }),
  })
  defineCommand(program, perform, {
    name: 'why <id>',
    summary: 'Say what a pipeline waits for, since when, until when, who can act and with which command',
    examples: ['switchyard why 12', 'switchyard why queue:shop@main --json'],
    load: () => import('../commands/why.ts'),
    input: ([id]) => ({ id: id! }),
  })
  defineLookingBack(program, perform)
}

/** What was, as the ledger and the logs keep it: no server is asked. */
function defineLookingBack(program: Grammar, perform: Perform): void {
  defineCommand(program, perform, {
    name: 'logs [id]',
    summary: 'Print what the checks of a pull request reported, or what the worker of a role wrote',
    examples: ['switchyard logs 12 --check tests', 'switchyard logs 12 --follow', 'switchyard logs --worker merge'],
    load: () => import('../commands/logs.ts'),
    input: ([id], options) => ({ ...(options as LogOptions), ...(id === undefined ? {} : { id }) }),
    options: (command) =>
      command
        .option('--check <name>', 'only this one')
        .option('--worker <role>', 'the process that holds this role')
        .option('--lines <number>', 'of a worker: at most so many of the last lines', '100')
        .option('--follow', 'go on with what comes, until Ctrl-C; with --json one document a line'),
  })
  defineCommand(program, perform, {
    name: 'audit',
    summary: 'Say who did what, when, and on which snapshot',
    examples: ['switchyard audit --since 7d', 'switchyard audit --pr 12 --json', 'switchyard audit --action pr.landed'],
    load: () => import('../commands/audit.ts'),
    input: (_, options) => options,
    options: (command) =>
      command
        .option('--pr <pr>', 'only this pull request: its number, or <repository>#<number>')
        .option('--actor <name>', 'only what this one did')
        .option('--action <name>', 'only this kind, such as pr.landed')
        .option('--since <when>', 'a duration such as 7d, or an instant')
        .option('--limit <number>', 'at most so many, the newest', '100')
        .option('--follow', 'go on with what comes, until Ctrl-C; with --json one document a line'),
  })
  defineCommand(program, perform, {
    name: 'stats',
    summary: 'Count what was reviewed, landed, refused and ejected, and how long it took',
    examples: ['switchyard stats', 'switchyard stats --since 90d --json'],
    load: () => import('../commands/stats.ts'),
    input: (_, options) => options,
    options: (command) => command.option('--since <when>', 'a duration such as 30d, or an instant', '30d'),
  })
}

type LogOptions = { check?: string; worker?: string; lines: string; follow?: boolean }
