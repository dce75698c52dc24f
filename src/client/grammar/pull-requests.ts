import { Option, type Command as Grammar } from 'commander'
import { defineCommand, defineNoun, type Perform } from './define.ts'

const withActor = (command: Grammar) =>
  command.option('--as <actor>', 'who acts (default: SWITCHYARD_USER, else git user.email)')
const withHead = (command: Grammar) =>
  command.option('--head <sha>', 'only if this is still its head: the commit you looked at (7 digits or more)')
const withWait = (command: Grammar) =>
  command.option('--wait [duration]', 'block until it rests; --wait=10m for at most that long; Ctrl-C detaches')

const collect = (value: string, values: string[] = []) => [...values, value]

export function definePullRequests(program: Grammar, perform: Perform): void {
  const pr = defineNoun(program, 'pr', 'Propose, look at, review and land changes', [
    'switchyard pr create --head feature --wait',
    'switchyard pr list',
  ])
  defineOpening(pr, perform)
  defineLooking(pr, perform)
  defineAnswering(pr, perform)
  defineMoving(pr, perform)
}

function defineOpening(pr: Grammar, perform: Perform): void {
  defineCommand(pr, perform, {
    name: 'create',
    summary: 'Open a pull request for a pushed branch and start its pipeline',
    examples: [
      'git push switchyard feature && switchyard pr create --head feature',
      "switchyard pr create --head fix/#12 --base main --title 'Fix the total' --wait=10m --json",
    ],
    load: () => import('../commands/pr-create.ts'),
    input: (_, options) => options,
    ownsInterrupt: true,
    options: (command) =>
      withWait(
        withActor(
          command
            .option('--head <branch>', 'the branch to land (default: the current one)')
            .option('--base <branch>', "the branch to land on (default: the repository's)")
            .option('--title <text>', "what it is called (default: the last commit's subject)")
            .option('--body <text>', 'what and why')
            .option('--draft', 'not to be landed yet')
            .option('--label <name>', 'may be given more than once', collect),
        ),
      ),
  })
}

function defineLooking(pr: Grammar, perform: Perform): void {
  defineCommand(pr, perform, {
    name: 'list',
    summary: 'List pull requests',
    examples: ['switchyard pr list', 'switchyard pr list --state all --json'],
    load: () => import('../commands/pr-list.ts'),
    input: (_, options) => options,
    options: (command) =>
      command.addOption(
        new Option('--state <state>', 'which').choices(['open', 'closed', 'merged', 'all']).default('open'),
      ),
  })
  defineCommand(pr, perform, {
    name: 'view <pr>',
    summary: 'Show one pull request: its phase, its decision and what it waits for',
    examples: ['switchyard pr view 12', 'switchyard pr view shop#12 --json'],
    load: () => import('../commands/pr-view.ts'),
    input: ([pullRequest]) => ({ pullRequest: pullRequest! }),
  })
  defineCommand(pr, perform, {
    name: 'checks <pr>',
    summary: 'Show its checks',
    examples: ['switchyard pr checks 12'],
    load: () => import('../commands/pr-checks.ts'),
    input: ([pullRequest]) => ({ pullRequest: pullRequest! }),
  })
  defineCommand(pr, perform, {
    name: 'diff <pr>',
    summary: 'Show what it changes',
    examples: ['switchyard pr diff 12 | less'],
    load: () => import('../commands/pr-diff.ts'),
    input: ([pullRequest]) => ({ pullRequest: pullRequest! }),
  })
  defineCommand(pr, perform, {
    name: 'watch',
    summary: 'Review every open pull request in rounds, as a daemon',
    examples: ['switchyard pr watch --every 5m', 'switchyard pr watch --once --json'],
    load: () => import('../commands/pr-watch.ts'),
    input: (_, options) => options,
    ownsInterrupt: true,
    options: (command) =>
      command
        .option('--every <duration>', 'between two rounds (default: `watch.review`, 5m)')
        .option('--once', 'one round to its end, then a table'),
  })
}

function defineAnswering(pr: Grammar, perform: Perform): void {
  defineCommand(pr, perform, {
    name: 'review <pr>',
    summary: 'Run its checks again now, as after a flake',
    examples: ['switchyard pr review 12 --wait'],
    load: () => import('../commands/pr-review.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    ownsInterrupt: true,
    options: (command) => withWait(withActor(command)),
  })
  defineCommand(pr, perform, {
    name: 'approve <pr>',
    summary: 'Approve its head as it is now',
    examples: [
      'switchyard pr approve 12 --head 3f2a91c',
      'switchyard pr approve 12 --as ann@example.org --body "Thanks"',
    ],
    load: () => import('../commands/pr-verdict.ts'),
    input: ([pullRequest], options) => ({
      ...(options as object),
      pullRequest: pullRequest!,
      state: 'approved' as const,
    }),
    options: (command) => withHead(withActor(command.option('--body <text>', 'a remark'))),
  })
  defineCommand(pr, perform, {
    name: 'request-changes <pr>',
    summary: 'Ask for changes; it does not land until who asked approves',
    examples: ['switchyard pr request-changes 12 --body "Please test the empty cart"'],
    load: () => import('../commands/pr-verdict.ts'),
    input: ([pullRequest], options) => ({
      ...(options as object),
      pullRequest: pullRequest!,
      state: 'changes-requested' as const,
    }),
    options: (command) => withHead(withActor(command.option('--body <text>', 'what is to be changed'))),
  })
  defineCommand(pr, perform, {
    name: 'comment <pr>',
    summary: 'Write a comment, or list the comments',
    examples: ['switchyard pr comment 12 --body "Looks like #9"', 'switchyard pr comment 12'],
    load: () => import('../commands/pr-comment.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    options: (command) => withActor(command.option('--body <text>', 'the comment')),
  })
}

function defineMoving(pr: Grammar, perform: Perform): void {
  defineCommand(pr, perform, {
    name: 'merge <pr>',
    summary: 'Land it once it is approved, where the policy does not do so by itself, or after it was ejected',
    examples: ['switchyard pr merge 12 --head 3f2a91c', 'switchyard pr merge 12 --wait=10m'],
    load: () => import('../commands/pr-merge.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    ownsInterrupt: true,
    options: (command) => withWait(withHead(withActor(command))),
  })
  defineCommand(pr, perform, {
    name: 'ready <pr>',
    summary: 'Mark a draft as ready, or with --undo make it a draft again',
    examples: ['switchyard pr ready 12'],
    load: () => import('../commands/pr-state.ts'),
    input: ([pullRequest], { undo, ...options }: Record<string, never>) => ({
      ...(options as object),
      pullRequest: pullRequest!,
      to: undo ? ('draft' as const) : ('ready' as const),
    }),
    options: (command) => withActor(command.option('--undo', 'make it a draft again')),
  })
  defineCommand(pr, perform, {
    name: 'close <pr>',
    summary: 'Close it without landing',
    examples: ['switchyard pr close 12'],
    load: () => import('../commands/pr-state.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest!, to: 'closed' as const }),
    options: withActor,
  })
  defineCommand(pr, perform, {
    name: 'reopen <pr>',
    summary: 'Open a closed one again',
    examples: ['switchyard pr reopen 12'],
    load: () => import('../commands/pr-state.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest!, to: 'open' as const }),
    options: withActor,
  })
}
