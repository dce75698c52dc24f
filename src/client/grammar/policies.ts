import type { Command as Grammar } from 'commander'
import { defineCommand, defineNoun, type Perform } from './define.ts'

export function definePolicies(program: Grammar, perform: Perform): void {
  const policy = defineNoun(program, 'policy', 'The rules by which pull requests are decided', [
    'switchyard policy check',
    'switchyard policy explain 12',
  ])
  defineCommand(policy, perform, {
    name: 'check',
    summary: 'Check switchyard.yaml and .switchyard.yaml as they are in the working tree',
    examples: ['switchyard policy check', 'switchyard policy check --file new.yaml --json'],
    load: () => import('../commands/policy-check.ts'),
    input: (_, options) => options,
    options: (command) => command.option('--file <path>', 'another policy than .switchyard.yaml'),
  })
  defineCommand(policy, perform, {
    name: 'explain <pr>',
    summary: 'Show its newest decision as a tree: every criterion, why, and what would make it pass',
    examples: ['switchyard policy explain 12', 'switchyard policy explain shop#12 --json'],
    load: () => import('../commands/policy-explain.ts'),
    input: ([pullRequest]) => ({ pullRequest: pullRequest! }),
  })
  defineCommand(policy, perform, {
    name: 'simulate [pr]',
    summary: 'Say what another policy would decide, on the recorded facts; nothing is run or changed',
    examples: [
      'switchyard policy simulate 12 --policy new.yaml',
      'switchyard policy simulate --since 7d --policy new.yaml --json',
    ],
    load: () => import('../commands/policy-simulate.ts'),
    input: ([pullRequest], options) => ({
      ...(options as { policy: string }),
      ...(pullRequest === undefined ? {} : { pullRequest }),
    }),
    options: (command) =>
      command
        .requiredOption('--policy <file>', 'the policy to try')
        .option('--all', 'every recorded decision of the repository')
        .option('--since <duration>', 'those of the last 7d, 12h and so on'),
  })
}
