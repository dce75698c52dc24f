import { stringify } from 'yaml'
import type { DetectedPolicy, DetectedTests } from './detect.ts'
import { installationFileName } from './installation-file.ts'
import { policyFileName } from './policy.ts'

/**
 * Beside each configuration file, and committed with a policy: an editor finds its schema in every clone, whatever
 * language the repository is written in, without the network, and in the version that the file is for.
 */
export const schemaFolder = '.switchyard'

type Repositories = { repositories: { name: string; remote: string }[] }

/** The text of a repository's first `.switchyard.yaml`. */
export function renderPolicyFile(detected: DetectedPolicy, { base }: { base: string | string[] }): string {
  const tests = detected.tests ? testsSection(detected.tests) : noTestsSection
  return `# yaml-language-server: $schema=./${schemaFolder}/policy.schema.json
# ${policyFileName}: this repository's rules, read from the base branch (a PR's own copy never counts).
# Every key may be left out; what stands here is the default, or was found in the repository.
version: 1
base: ${list([base].flat())} # protected branches: only the merge queue moves them
checks:
  # ${oneLine(detected.why)}
${tests}
  secrets:
    allow: [] # e.g. { pattern: 'EXAMPLE_KEY', reason: 'from the docs', until: 2027-01-01 }
  review:
    maxFileSize: 5MB
    forbiddenPaths: [] # globs of paths that no PR may change
    reviewers: [] # commands that get the diff and answer findings, e.g. { run: ./tools/review.sh }
    approvals: 0 # by people other than the author
evidence: { maxAge: 7d } # older passes are not reused
merge:
  auto: true # false: an approved PR waits for \`switchyard pr merge\`
  method: squash # merge | squash | rebase | fast-forward
  message: '{title} (#{number})'
  deleteBranch: true
  staleAfter: 30d # a rejected PR without news ends after this
# There are also mode, rules, overrides, commands, policyChange and questions: docs/policy.md of Switchyard.
`
}

/** The text of a new `switchyard.yaml`. */
export function renderInstallationFile({ repositories }: Repositories): string {
  return `# yaml-language-server: $schema=./${schemaFolder}/installation.schema.json
# ${installationFileName}: one installation of Switchyard. Every key may be left out; what stands here is the default.
forge: local # PRs live in bare git repositories on this machine
${repositorySection(repositories)}
ledger: sqlite # the durable record, in the home folder
isolation: required # none: code of PRs runs without isolation, trusted code only
watch: { every: 30s, review: 5m } # sweeps of the forge; rounds of \`switchyard pr watch\`
`
}

function repositorySection(repositories: Repositories['repositories']): string {
  const comment = '# A relative remote starts at the home folder.'
  if (repositories.length === 0) return `${comment}\nrepositories: []`
  const lines = repositories.map(({ name, remote }) => `  - { name: ${scalar(name)}, remote: ${scalar(remote)} }`)
  return [comment, 'repositories:', ...lines].join('\n')
}

function testsSection({ run, setup, keep }: DetectedTests): string {
  const lines = [
    '  tests:',
    `    run: ${scalar(run)}`,
    ...(setup === null ? [] : [`    setup: ${scalar(setup)} # runs before the tests, with the network`]),
    ...(keep === null
      ? []
      : [`    keep: { lockfile: ${scalar(keep.lockfile)}, paths: ${list(keep.paths)} } # made by setup`]),
    '    timeout: 15m',
    '    retries: 1 # after infrastructure failures only; a red test is never tried again',
    '    network: false',
    '    env: [] # names of variables that the tests get from the worker',
  ]
  return lines.join('\n')
}

const noTestsSection = `  # Nothing lands until the repository says how it is tested:
  # tests:
  #   run: make test
  #   timeout: 15m`

function list(values: string[]): string {
  return `[${values.map(scalar).join(', ')}]`
}

/** Valid inside a flow collection, on one line. */
function scalar(value: string): string {
  if (/[\r\n]/.test(value)) return JSON.stringify(value)
  const text = stringify([value], { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trim()
  return text.slice(1, -1).trim()
}

function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}
