import type { Command as Grammar } from 'commander'
import type { Command } from '../context.ts'
import { defineCommand, defineNoun, type Perform } from './define.ts'

/** `up`, `down`, `worker` and `demo` bring the whole of Switchyard with them: found by name, when they run. */
const bySelf = (name: string) => () => import(`../commands/${name}.ts`) as Promise<{ run: Command<object> }>

export function defineRunning(program: Grammar, perform: Perform): void {
  defineCommand(program, perform, {
    name: 'demo',
    summary: 'Show seven pull requests through a real server and real workers, on this machine, then clean up',
    examples: ['switchyard demo', 'switchyard demo --keep'],
    load: bySelf('demo'),
    input: (_, options) => options,
    ownsInterrupt: true,
    options: (command) => command.option('--keep', 'leave it running, and say how to look and how to stop'),
  })
  defineCommand(program, perform, {
    name: 'up',
    summary: 'Run the server and the workers, and start again what dies',
    examples: ['switchyard up', 'switchyard up --detach'],
    load: bySelf('up'),
    input: (_, options) => options,
    ownsInterrupt: true,
    options: (command) => command.option('--detach', 'run in the background; return when all is ready'),
  })
  defineCommand(program, perform, {
    name: 'down',
    summary: 'Stop what `up` runs; pipelines go on at the next `up`',
    examples: ['switchyard down'],
    load: bySelf('down'),
    input: (_, options) => options,
    ownsInterrupt: true,
  })
  defineCommand(program, perform, {
    name: 'worker',
    summary: 'Run one worker process for some roles',
    examples: ['switchyard worker --roles pr-review,merge', 'switchyard worker --roles testing'],
    load: bySelf('worker'),
    input: (_, options) => options,
    ownsInterrupt: true,
    options: (command) =>
      command.requiredOption('--roles <names>', 'pr-review, merge, decision, testing, security, with commas'),
  })
  defineSetUp(program, perform)
}

function defineSetUp(program: Grammar, perform: Perform): void {
  defineCommand(program, perform, {
    name: 'doctor',
    summary: 'Check this machine, the configuration, the server and the workers',
    examples: ['switchyard doctor', 'switchyard doctor --json'],
    load: () => import('../commands/doctor.ts'),
    input: () => ({}),
  })
  defineCommand(program, perform, {
    name: 'init',
    summary: 'Look at this repository, write both configuration files and make its local forge',
    examples: ['switchyard init', 'switchyard init --name shop --base main'],
    load: () => import('../commands/init.ts'),
    input: (_, options) => options,
    ownsInterrupt: true,
    options: (command) =>
      command
        .option('--name <name>', "the repository's name here (default: its folder's)")
        .option('--base <branch>', 'the branch to land on (default: main, master or the current one)'),
  })
  defineCommand(program, perform, {
    name: 'completion <shell> [words...]',
    summary: "Print what a shell loads to complete this command's words, flags, pull requests and repositories",
    examples: [
      'source <(switchyard completion bash)                                    # in ~/.bashrc',
      'source <(switchyard completion zsh)                                     # in ~/.zshrc, behind compinit',
      'switchyard completion fish > ~/.config/fish/completions/switchyard.fish',
    ],
    load: () => import('../commands/completion.ts'),
    input: ([shell, words]) => ({ shell: shell as never, words: words as unknown as string[] }),
    options: (command) => {
      command.registeredArguments[0]!.choices(['bash', 'zsh', 'fish'])
      return command
    },
  })
  defineRepositories(program, perform)
}

function defineRepositories(program: Grammar, perform: Perform): void {
  const repo = defineNoun(program, 'repo', 'The repositories of this installation', ['switchyard repo list'])
  defineCommand(repo, perform, {
    name: 'add <folder>',
    summary: 'Add the git repository in a folder: as `init`, but writes no policy file into it',
    examples: ['switchyard repo add ../shop', 'switchyard repo add ../shop --name shop --base main'],
    load: () => import('../commands/repo-add.ts'),
    input: ([folder], options) => ({ ...(options as object), folder: folder! }),
    ownsInterrupt: true,
    options: (command) =>
      command
        .option('--name <name>', "the repository's name here (default: its folder's)")
        .option('--base <branch>', 'the branch to land on (default: main, master or the current one)'),
  })
  defineCommand(repo, perform, {
    name: 'list',
    summary: 'List the repositories',
    examples: ['switchyard repo list --json'],
    load: () => import('../commands/repo-list.ts'),
    input: () => ({}),
  })
  defineCommand(repo, perform, {
    name: 'remove <name>',
    summary: 'Take a repository out of this installation; its commits and its record stay',
    examples: ['switchyard repo remove shop'],
    load: () => import('../commands/repo-remove.ts'),
    input: ([name], options) => ({ ...(options as object), name: name! }),
    options: (command) => command.option('--force', 'even with open pull requests'),
  })
}
