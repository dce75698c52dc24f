import { Option, type Command as Grammar } from 'commander'
import { defineCommand, defineNoun, type Perform } from './define.ts'

const withActor = (command: Grammar) =>
  command.option('--as <actor>', 'who acts (default: SWITCHYARD_USER, else git user.email)')
const withHead = (command: Grammar) =>
  command.option('--head <sha>', 'only if this is still its head: the commit you looked at (7 digits or more)')
const withWait = (command: Grammar) =>
  command.option('--wait [duration]', 'block until it rests; --wait=10m for at most that long; Ctrl-C detaches')

const withBody = (command: Grammar, what: string) =>
  command.option('--body <text>', what).option('--body-file <file>', 'the same from a file; - is standard input')

const collect = (value: string, values: string[] = []) => [...values, value]
/** As `gh` takes them: the flag again, or commas. */
const collectLabels = (value: string, values: string[] = []) => [
  ...values,
  ...value.split(',').flatMap((label) => label.trim() || []),
]

export function definePullRequests(program: Grammar, perform: Perform): void {
  const pr = defineNoun(program, 'pr', 'Propose, look at, review and land changes', [
    'switchyard pr create --head feature --wait',
    'switchyard pr list',
  ])
  defineOpening(pr, perform)
  defineLooking(pr, perform)
  defineWorking(pr, perform)
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
          withBody(
            command
              .option('--head <branch>', 'the branch to land (default: the current one)')
              .option('--base <branch>', "the branch to land on (default: the repository's)")
              .option('--title <text>', "what it is called (default: the last commit's subject)")
              .option('--draft', 'not to be landed yet')
              .option('--label <name>', 'may be given more than once', collect),
            'what and why',
          ),
        ),
      ),
  })
  defineCommand(pr, perform, {
    name: 'edit <pr>',
    summary: 'Change its title, text, labels or base',
    examples: [
      'switchyard pr edit 12 --title "Round the total" --add-label bug --remove-label draft',
      'switchyard pr edit 12 --body-file notes.md --base next',
    ],
    load: () => import('../commands/pr-edit.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    options: (command) =>
      withActor(
        withBody(command.option('--title <text>', 'what it is called'), 'what and why')
          .option('--add-label <name>', 'may be given more than once', collectLabels)
          .option('--remove-label <name>', 'may be given more than once', collectLabels)
          .option('--base <branch>', 'the branch to land on, a protected one'),
      ),
  })
}

function defineLooking(pr: Grammar, perform: Perform): void {
  defineCommand(pr, perform, {
    name: 'list',
    summary: 'List pull requests',
    examples: [
      'switchyard pr list',
      'switchyard pr list --state all --json',
      'switchyard pr list --label bug --limit 10',
    ],
    load: () => import('../commands/pr-list.ts'),
    input: (_, options) => options,
    options: (command) =>
      command
        .addOption(new Option('--state <state>', 'which').choices(['open', 'closed', 'merged', 'all']).default('open'))
        .option('--label <name>', 'with this label; may be given more than once', collectLabels)
        .option('--author <actor>', 'opened by them')
        .option('--head <branch>', 'of this branch')
        .option('--base <branch>', 'into this branch')
        .option('--limit <number>', 'the newest ones only'),
  })
  defineCommand(pr, perform, {
    name: 'view <pr>',
    summary: 'Show one pull request: its phase, its decision and what it waits for',
    examples: ['switchyard pr view 12', 'switchyard pr view 12 --comments', 'switchyard pr view shop#12 --json'],
    load: () => import('../commands/pr-view.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    options: (command) => command.option('--comments', 'and what was said about it, with how it was answered'),
  })
  defineCommand(pr, perform, {
    name: 'checks <pr>',
    summary: 'Show its checks; exit code 1 where one failed, 4 where one has not ended or could not run',
    examples: ['switchyard pr checks 12', 'switchyard pr checks 12 --watch --fail-fast'],
    load: () => import('../commands/pr-checks.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    ownsInterrupt: true,
    options: (command) =>
      command
        .option('--watch', 'block until they have ended; Ctrl-C detaches')
        .option('--fail-fast', 'with --watch: until one has failed'),
  })
  defineCommand(pr, perform, {
    name: 'diff <pr>',
    summary: 'Show what it changes',
    examples: ['switchyard pr diff 12 | less', 'switchyard pr diff 12 --name-only'],
    load: () => import('../commands/pr-diff.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    options: (command) => command.option('--name-only', 'the paths alone'),
  })
}

function defineWorking(pr: Grammar, perform: Perform): void {
  defineCommand(pr, perform, {
    name: 'checkout <pr>',
    summary: 'Fetch its branch and switch the working copy here to it; local work is never lost',
    examples: [
      'switchyard pr checkout 12',
      'switchyard pr checkout 12 -b try-it',
      'switchyard pr checkout 12 --detach',
    ],
    load: () => import('../commands/pr-checkout.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    options: (command) =>
      command
        .option('-b, --branch <name>', "the local branch (default: the pull request's)")
        .option('--detach', 'on no branch'),
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
    summary: 'Ask for changes; it does not land until who asked approves, or takes it back with --undo',
    examples: [
      'switchyard pr request-changes 12 --body "Please test the empty cart"',
      'switchyard pr request-changes 12 --undo',
    ],
    load: () => import('../commands/pr-verdict.ts'),
    input: ([pullRequest], { undo, ...options }: Record<string, never>) => ({
      ...(options as object),
      pullRequest: pullRequest!,
      state: undo ? ('dismissed' as const) : ('changes-requested' as const),
    }),
    options: (command) =>
      withHead(
        withActor(
          command.option('--body <text>', 'what is to be changed').option('--undo', 'take it back, without approving'),
        ),
      ),
  })
  defineCommand(pr, perform, {
    name: 'comment <pr>',
    summary: 'Write a comment, or list the comments',
    examples: [
      'switchyard pr comment 12 --body "Looks like #9"',
      'switchyard pr comment 12 --body "/switchyard merge"',
      'switchyard pr comment 12',
    ],
    load: () => import('../commands/pr-comment.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    options: (command) => withActor(withBody(command, 'the comment; a line `/switchyard merge` is a command')),
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
    options: (command) =>
      withWait(withHead(withActor(command)))
        .addOption(
          new Option('--method <method>', "only if it is the policy's, which chooses it: `merge.method`").choices([
            'merge',
            'squash',
            'rebase',
            'fast-forward',
          ]),
        )
        .option('--merge', 'the same as --method merge')
        .option('--squash', 'the same as --method squash')
        .option('--rebase', 'the same as --method rebase'),
  })
  defineCommand(pr, perform, {
    name: 'hold <pr>',
    summary: 'Keep it from landing until somebody lifts that, with --cancel or `pr merge`',
    examples: ['switchyard pr hold 12 --reason "until the fair"', 'switchyard pr hold 12 --cancel'],
    load: () => import('../commands/pr-hold.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest! }),
    options: (command) => withActor(command.option('--reason <text>', 'why').option('--cancel', 'let it go on')),
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
    examples: ['switchyard pr close 12', 'switchyard pr close 12 --comment "Done in #14"'],
    load: () => import('../commands/pr-state.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest!, to: 'closed' as const }),
    options: (command) => withActor(command.option('--comment <text>', 'why')),
  })
  defineCommand(pr, perform, {
    name: 'reopen <pr>',
    summary: 'Open a closed one again',
    examples: ['switchyard pr reopen 12'],
    load: () => import('../commands/pr-state.ts'),
    input: ([pullRequest], options) => ({ ...(options as object), pullRequest: pullRequest!, to: 'open' as const }),
    options: (command) => withActor(command.option('--comment <text>', 'why')),
  })
}
