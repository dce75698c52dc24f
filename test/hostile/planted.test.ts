import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openRepository } from '#activities/git/repository'
import { fetchInto } from '#activities/git/bare'
import { hostFolder } from '#activities/tests/host'
import { createFixture, type Files, type Fixture } from '../activities/tests/support.ts'
import { collect } from '../activities/git/collect.ts'

let fixture: Fixture
/** Where what is planted says that it ran. */
let canary: string
let command: string

beforeEach(async () => {
  fixture = await createFixture()
  canary = join(fixture.root, 'canary')
  command = join(fixture.root, 'planted.sh')
  await writeFile(command, `#!/bin/sh\ntouch '${canary}'\ncat\n`)
  await chmod(command, 0o755)
})
afterEach(() => fixture.remove())

/** Every key by which a git directory's config can start a program, and by which it leads elsewhere. */
const config = () => `[core]
	fsmonitor = ${command}
	hooksPath = ${join(fixture.root, 'hooks')}
	sshCommand = ${command}
	worktree = /
	attributesFile = ${join(fixture.root, 'attributes')}
	pager = ${command}
	editor = ${command}
	alternateRefsCommand = ${command}
[include]
	path = ${join(fixture.root, 'included')}
[filter "x"]
	clean = ${command}
	smudge = ${command}
	process = ${command}
	required = true
[filter "lfs"]
	smudge = ${command}
	process = ${command}
[diff "x"]
	command = ${command}
	textconv = ${command}
[merge "x"]
	driver = ${command} %O %A %B
[uploadpack]
	packObjectsHook = ${command}
[extensions]
	worktreeConfig = true
`

const hooks = [
  'post-checkout',
  'post-index-change',
  'reference-transaction',
  'pre-commit',
  'post-merge',
  'fsmonitor-watchman',
]

async function plantAround(): Promise<void> {
  await mkdir(join(fixture.root, 'hooks'), { recursive: true })
  for (const hook of hooks)
    await writeFile(join(fixture.root, 'hooks', hook), `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 })
  await writeFile(join(fixture.root, 'attributes'), '* filter=x diff=x merge=x\n')
  await writeFile(join(fixture.root, 'included'), `[core]\n\tfsmonitor = ${command}\n`)
}

/** As a pull request brings it: a repository in the tree, attributes and submodules. */
const pushed = (): Files => ({
  '.gitattributes': '* filter=x diff=x merge=x\n*.bin filter=lfs diff=lfs merge=lfs -text\n',
  '.gitmodules': `[submodule "x"]\n\tpath = sub\n\turl = https://example.test/x.git\n\tupdate = none\n`,
  'a.txt': 'a\n',
  'model.bin': 'version https://git-lfs.github.com/spec/v1\n',
  'nested/HEAD': 'ref: refs/heads/main\n',
  'nested/config': config(),
  'nested/objects/keep': '',
  'nested/refs/keep': '',
  'nested/hooks/post-checkout': { executable: `#!/bin/sh\ntouch '${canary}'\n` },
})

/** What a test command leaves, wherever it may write: a `.git` of its own above all. */
const plant = () => {
  const lines = [
    'mkdir -p .git/hooks .git/objects/info .git/info .git/refs "$HOME/.config/git"',
    `cat > .git/config <<'END'\n${config()}END`,
    'cp .git/config "$HOME/.gitconfig"; cp .git/config "$HOME/.config/git/config"; cp .git/config "$TMPDIR/config"',
    'echo "ref: refs/heads/main" > .git/HEAD; echo "* filter=x" > .git/info/attributes; echo "* filter=x" > .gitattributes',
    'echo "/" > .git/objects/info/alternates; echo "gitdir: nested" > sub.git; ln -s nested linked.git',
    ...hooks.map(
      (hook) => `printf '#!/bin/sh\\ntouch %s\\n' '${canary}' > .git/hooks/${hook}; chmod +x .git/hooks/${hook}`,
    ),
    'echo changed > a.txt; mkdir -p x/.git; cp .git/config x/.git/config',
  ]
  return lines.join('\n')
}

describe.each(['required', 'none'] as const)('with isolation "%s", nothing planted runs', (isolation) => {
  test('when a command planted it in its checkout, and the slot is used again', async () => {
    await plantAround()
    const commit = await fixture.commit(pushed())
    const runner = fixture.runner({ isolation, slots: 1 })
    expect((await fixture.run(runner, commit, { run: plant() })).conclusion).toBe('passed')
    const next = await fixture.commit({ ...pushed(), 'b.txt': 'b\n' })
    const { stdout } = await fixture.run(runner, next, { run: 'ls -A; cat a.txt model.bin' })
    expect(stdout).toBe(
      '.gitattributes\n.gitmodules\na.txt\nb.txt\nmodel.bin\nnested\na\nversion https://git-lfs.github.com/spec/v1\n',
    )
    expect(existsSync(canary)).toBe(false)
  })

  test('when a command planted it beside tracked files, or where a submodule would be', async () => {
    await plantAround()
    const commit = await fixture.commit({ ...pushed(), 'sub/x': '' })
    const withSubmodule = await fixture.withSubmodule(commit, 'vendor/lib')
    const runner = fixture.runner({ isolation, slots: 1 })
    const everywhere = ['nested', 'vendor/lib']
      .map((folder) => `( cd ${folder}; mkdir nested; ${plant()}\n)`)
      .join('\n')
    const closing = 'chmod 000 nested/.git/hooks nested/.git vendor/lib/nested'
    await fixture.run(runner, withSubmodule, { run: `${everywhere}\n${closing}` })
    const { stdout } = await fixture.run(runner, withSubmodule, { run: 'ls -A nested vendor/lib' })
    expect(stdout).toBe('nested:\nHEAD\nconfig\nhooks\nobjects\nrefs\n\nvendor/lib:\n')
    expect(existsSync(canary)).toBe(false)
  })

  test('and nothing is emptied outside, where a link stands in the way to a submodule', async () => {
    const outside = join(fixture.root, 'outside')
    await mkdir(join(outside, 'lib'), { recursive: true })
    await writeFile(join(outside, 'lib', 'precious'), '')
    const commit = await fixture.withSubmodule(await fixture.commit({ a: 'a' }), 'vendor/lib')
    const runner = fixture.runner({ isolation, slots: 1 })
    for (const link of [`rm -r vendor; ln -s ${outside} vendor`, `rm -r vendor/lib; ln -s ${outside}/lib vendor/lib`]) {
      await fixture.run(runner, commit, { run: link })
      expect((await fixture.run(runner, commit, { run: 'ls -A . vendor' })).stdout).toBe(
        '.:\na\nvendor\n\nvendor:\nlib\n',
      )
    }
    expect(await readdir(join(outside, 'lib'))).toEqual(['precious'])
  })

  test('when setup planted it in what is kept', async () => {
    await plantAround()
    const commit = await fixture.commit({ ...pushed(), 'lock.json': 'v1\n' })
    const runner = fixture.runner({ isolation, slots: 1 })
    const setup = `mkdir modules; cd modules; mkdir nested; ${plant()}`
    const policy = { setup, keep: { lockfile: 'lock.json', paths: ['modules'] }, run: 'ls -d modules' }
    for (const _ of [1, 2]) expect((await fixture.run(runner, commit, policy)).stdout).toBe('modules\n')
    expect(existsSync(canary)).toBe(false)
  })
})

test("nothing in a slot's git directory is what a command wrote", async () => {
  const runner = fixture.runner({ slots: 1 })
  const commit = await fixture.commit(pushed())
  await fixture.run(runner, commit, { run: plant() })
  const slots = join(hostFolder(fixture.home), 'slots')
  const [repo = ''] = await readdir(slots)
  expect((await readdir(join(slots, repo, '1', 'git'))).toSorted()).toEqual(['HEAD', 'config', 'index', 'info', 'refs'])
})

test('nothing runs in what is done with pushed objects, where attributes and config name it', async () => {
  await plantAround()
  const base = await fixture.commit({ 'a.txt': 'base\n' })
  const left = await fixture.commit(pushed())
  const right = await fixture.commit({ ...pushed(), 'a.txt': 'other\n' })
  await writeFile(
    join(fixture.gitDir, 'config'),
    `[core]\n\trepositoryformatversion = 0\n\tbare = true\n${config().replace('\tworktree = /\n', '')}`,
  )
  await mkdir(join(fixture.gitDir, 'hooks'), { recursive: true })
  for (const hook of hooks)
    await writeFile(join(fixture.gitDir, 'hooks', hook), `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 })
  const git = openRepository(fixture.gitDir)
  await git.mergeTree(left, right)
  await git.diff(base, right, 1e6)
  await git.changedFiles(base, right)
  await git.changedPaths(base, right)
  await collect(git.additions({ commits: [left, right] }))
  await git.readFile(right, 'a.txt', 100)
  await git.updateRefs([{ ref: 'refs/heads/new', from: null, to: left }])
  await fetchInto(fixture.gitDir, fixture.gitDir, [left])
  expect((await fixture.run(fixture.runner({ slots: 1 }), right, { run: 'cat a.txt' })).stdout).toBe('other\n')
  expect(existsSync(canary)).toBe(false)
})

test('what is planted here would run in a git that is not told otherwise', async () => {
  await plantAround()
  const commit = await fixture.commit(pushed())
  const runner = fixture.runner({ isolation: 'none', slots: 1 })
  const naive = `${plant()}\nrm -rf .git/objects/info; sed -i /worktree/d .git/config; git add -A 2>/dev/null; true`
  await fixture.run(runner, commit, { run: naive })
  expect(existsSync(canary)).toBe(true)
})
