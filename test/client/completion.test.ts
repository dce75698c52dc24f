import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { question } from './clarification-fakes.ts'
import { pullRequest, server, switchyard, world, type World } from './fakes.ts'

/** Values are looked up only where there is an installation's file. */
let installed: { env: NodeJS.ProcessEnv }
beforeAll(() => {
  const home = mkdtempSync(join(tmpdir(), 'switchyard-completion-'))
  writeFileSync(join(home, 'switchyard.yaml'), '')
  installed = { env: { SWITCHYARD_HOME: home, PATH: process.env.PATH } }
})
afterAll(() => rmSync(installed.env['SWITCHYARD_HOME']!, { recursive: true, force: true }))

const words = async (line: string[], in_: World = world()) => {
  const { stdout } = await switchyard(['completion', 'bash', '--', ...line], in_, installed)
  return stdout.split('\n').flatMap((one) => (one === '' ? [] : [one.split('\t')[0]!]))
}

describe('the words that may stand next are', () => {
  test('the commands, and behind a noun its verbs', async () => {
    expect(await words([''])).toEqual(expect.arrayContaining(['up', 'pr', 'why', 'completion']))
    expect(await words(['pr', 're'])).toEqual(['review', 'request-changes', 'ready', 'reopen'])
    expect(await words(['pr', 'nothing-like-it'])).toEqual([])
  })

  test('the flags of the command and those of every command', async () => {
    const flags = await words(['pr', 'create', '--'])
    expect(flags).toEqual(expect.arrayContaining(['--head', '--wait', '--draft', '--json', '--repo', '--help']))
    expect(flags).not.toContain('--state')
  })

  test('the choices of a flag, and nothing where any text may stand', async () => {
    expect(await words(['pr', 'list', '--state', ''])).toEqual(['open', 'closed', 'merged', 'all'])
    expect(await words(['pr', 'create', '--title', ''])).toEqual([])
    expect(await words(['completion', ''])).toEqual(['bash', 'zsh', 'fish'])
  })

  test('the roles that are not in the list yet', async () => {
    expect(await words(['worker', '--roles', ''])).toContain('pr-review')
    expect(await words(['worker', '--roles', 'merge,te'])).toEqual(['merge,testing'])
    expect(await words(['worker', '--roles', 'merge,me'])).toEqual([])
  })

  test('the open pull requests, with their titles', async () => {
    const two = world({ pullRequests: [pullRequest(), pullRequest({ number: 31, title: 'Round\n\tprices' })] })
    const { stdout } = await switchyard(['completion', 'zsh', '--', 'pr', 'view', '3'], two, installed)
    expect(stdout).toBe('31\tRound prices\n')
    expect(await words(['why', ''], two)).toContain('31')
  })

  test('the repositories, and the pull requests of the one that the line names', async () => {
    const both = world({
      repositories: ['shop', 'web'],
      pullRequests: [pullRequest(), pullRequest({ repo: 'web', number: 7 })],
    })
    expect(await words(['--repo', ''], both)).toEqual(['shop', 'web'])
    expect(await words(['repo', 'remove', 'w'], both)).toEqual(['web'])
    expect(await words(['--repo', 'web', 'pr', 'view', ''], both)).toEqual(['7'])
    expect(await words(['--repo', 'neither', 'pr', 'view', ''], both)).toEqual([])
  })

  test('the open questions, with their titles', async () => {
    const asking = world({ server: server({ questions: [question({ title: 'Which\nregion?' })] }) })
    const { stdout } = await switchyard(['completion', 'zsh', '--', 'answer', ''], asking, installed)
    expect(stdout).toBe('3f2a91\tWhich region?\n')
    expect(await words(['answer', ''])).toEqual([])
  })

  test('of a --wait without a value the next argument, not its value', async () => {
    expect(await words(['pr', 'merge', '--wait', ''])).toEqual([String(pullRequest().number)])
  })

  test('as one document with --json', async () => {
    const ran = await switchyard(['completion', 'fish', '--json', '--', 'queue', 'sh'], world())
    expect(ran.json).toEqual([{ word: 'show', summary: expect.any(String) }])
  })
})

test('a shell that is not known is refused with exit code 2', async () => {
  const { code, stderr } = await switchyard(['completion', 'tcsh'], world())
  expect([code, stderr]).toEqual([2, expect.stringContaining("<shell> is one of bash, zsh, fish, not 'tcsh'.\n")])
})

const isInstalled = (shell: string) => spawnSync(shell, ['--version'], { stdio: 'ignore' }).status === 0

/** What each shell does on TAB, after it has loaded what `completion` prints. */
const completions = {
  bash: `source <(switchyard completion bash)
    COMP_WORDS=(switchyard "$@"); COMP_CWORD=$#
    _switchyard
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Its completion system needs a terminal; what it is given is what counts.
  zsh: `compdef() { :; }
    _describe() { print -rl -- "\${found[@]}"; }
    _files() { print files; }
    source <(switchyard completion zsh)
    words=(switchyard "$@"); CURRENT=$(( $# + 1 ))
    _switchyard`,
  fish: `switchyard completion fish | source
    complete -C "switchyard $argv"`,
}

describe.each(Object.entries(completions).filter(([shell]) => isInstalled(shell)))('in %s', (shell, script) => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-completion-'))
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const main = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url))
    writeFileSync(join(bin, 'switchyard'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
    chmodSync(join(bin, 'switchyard'), 0o755)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function onTab(...line: string[]): string[] {
    const args = shell === 'fish' ? ['-c', script, ...line] : ['-c', script, shell, ...line]
    const env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      HOME: folder,
      SWITCHYARD_HOME: join(folder, 'state'),
      NODE_NO_WARNINGS: '1',
    }
    const printed = execFileSync(shell, args, { cwd: folder, env, encoding: 'utf8' })
    return printed.split('\n').filter(Boolean)
  }

  test('a verb is completed', () => {
    expect(onTab('pr', 'vi')).toEqual([expect.stringMatching(/^view/)])
  })

  test('a flag is completed', () => {
    expect(onTab('up', '--det')).toEqual([expect.stringMatching(/^--detach/)])
  })

  test('where there is no installation, no pull request is offered and nothing is made', () => {
    expect(onTab('pr', 'view', '9').filter((one) => one !== 'files')).toEqual([])
    expect(existsSync(join(folder, 'state'))).toBe(false)
  })
})
