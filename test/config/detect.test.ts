import { describe, expect, it } from 'vitest'
import { detectPolicy, type DetectedTests } from '#config/detect'
import { parseInstallation } from '#config/installation-file'
import { defaultPolicy, parsePolicy } from '#config/policy'
import { renderInstallationFile, renderPolicyFile } from '#config/render'

type Files = Record<string, string>

function filesOf(files: Files) {
  return { read: (path: string) => Promise.resolve(files[path] ?? null) }
}

const manifest = (more: object = {}) =>
  JSON.stringify({ scripts: { test: 'vitest run' }, devDependencies: { vitest: '5' }, ...more })

const npm = (lockfile: string): DetectedTests => ({
  run: 'npm test',
  setup: 'npm ci',
  keep: { lockfile, paths: ['node_modules'] },
})

const found: [string, Files, DetectedTests][] = [
  ['npm', { 'package.json': manifest(), 'package-lock.json': '{}' }, npm('package-lock.json')],
  ['npm with a shrinkwrap', { 'package.json': manifest(), 'npm-shrinkwrap.json': '{}' }, npm('npm-shrinkwrap.json')],
  [
    'pnpm',
    { 'package.json': manifest(), 'pnpm-lock.yaml': '' },
    {
      run: 'pnpm test',
      setup: 'pnpm install --frozen-lockfile',
      keep: { lockfile: 'pnpm-lock.yaml', paths: ['node_modules'] },
    },
  ],
  [
    'classic yarn',
    { 'package.json': manifest(), 'yarn.lock': '' },
    {
      run: 'yarn test',
      setup: 'yarn install --frozen-lockfile',
      keep: { lockfile: 'yarn.lock', paths: ['node_modules'] },
    },
  ],
  [
    'modern yarn',
    { 'package.json': manifest({ packageManager: 'yarn@4.1.0' }), 'yarn.lock': '' },
    { run: 'yarn test', setup: 'yarn install --immutable', keep: { lockfile: 'yarn.lock', paths: ['node_modules'] } },
  ],
  [
    'npm without a lockfile',
    { 'package.json': manifest() },
    { run: 'npm test', setup: 'npm install --no-audit --no-fund', keep: null },
  ],
  [
    'npm without dependencies',
    { 'package.json': '{"scripts":{"test":"node --test"}}', 'package-lock.json': '{}' },
    { run: 'npm test', setup: null, keep: null },
  ],
  [
    'pytest with uv',
    { 'pyproject.toml': '[dependency-groups]\ndev = ["pytest>=8"]', 'uv.lock': '' },
    { run: 'uv run --no-sync pytest', setup: 'uv sync --frozen', keep: { lockfile: 'uv.lock', paths: ['.venv'] } },
  ],
  [
    'pytest with requirements',
    { 'pytest.ini': '', 'requirements.txt': 'flask\npytest==8.0\n' },
    {
      run: '.venv/bin/python -m pytest',
      setup: 'python3 -m venv .venv && .venv/bin/python -m pip install -r requirements.txt',
      keep: { lockfile: 'requirements.txt', paths: ['.venv'] },
    },
  ],
  [
    'pytest of the machine',
    { 'pyproject.toml': '[tool.pytest.ini_options]' },
    { run: 'python3 -m pytest', setup: null, keep: null },
  ],
  ['Go without modules', { 'go.mod': 'module x' }, { run: 'go test ./...', setup: null, keep: null }],
  [
    'Go with modules',
    { 'go.mod': 'module x', 'go.sum': 'a v1 h1:x' },
    {
      run: 'GOMODCACHE="$PWD/.gomodcache" go test ./...',
      setup: 'GOMODCACHE="$PWD/.gomodcache" go mod download',
      keep: { lockfile: 'go.sum', paths: ['.gomodcache'] },
    },
  ],
  ['Cargo', { 'Cargo.toml': '' }, { run: 'cargo test', setup: null, keep: null }],
  [
    'Cargo with crates',
    { 'Cargo.toml': '', 'Cargo.lock': '[[package]]\nname = "a"\nsource = "registry"' },
    {
      run: 'CARGO_HOME="$PWD/.cargo-home" cargo test --locked --offline',
      setup: 'CARGO_HOME="$PWD/.cargo-home" cargo fetch --locked',
      keep: { lockfile: 'Cargo.lock', paths: ['.cargo-home'] },
    },
  ],
  ['make', { Makefile: 'all:\n\ntest: all\n\t./t.sh\n' }, { run: 'make test', setup: null, keep: null }],
  [
    'make, where package.json has no test script',
    { 'package.json': '{}', Makefile: 'test:\n\ttrue\n' },
    { run: 'make test', setup: null, keep: null },
  ],
]

const missing: [string, Files, string][] = [
  ['no known file', {}, 'no tests found: looked at package.json, pyproject.toml, go.mod, Cargo.toml and Makefile'],
  [
    "npm's placeholder",
    { 'package.json': manifest({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }) },
    'package.json has no test script',
  ],
  ['a broken package.json', { 'package.json': '{' }, 'package.json is not valid JSON'],
  ['a pyproject.toml without pytest', { 'pyproject.toml': '[project]' }, 'pyproject.toml does not mention pytest'],
  ['a Makefile without the target', { Makefile: 'tests:\n\ntest := 1\n' }, 'Makefile has no target test'],
]

describe('the look at a repository', () => {
  it.each(found)('finds %s', async (_, files, expected) => {
    expect((await detectPolicy(filesOf(files))).tests).toEqual(expected)
  })

  it.each(missing)('finds no tests in %s and says why', async (_, files, why) => {
    const detected = await detectPolicy(filesOf(files))
    expect(detected.tests).toBeNull()
    expect(detected.why).toContain(why)
  })
})

describe('the rendered policy', () => {
  it.each(found)('parses to what was found: %s', async (_, files, expected) => {
    const parsed = parsePolicy(renderPolicyFile(await detectPolicy(filesOf(files)), { base: 'main' }), 'p.yaml')
    expect(parsed.ok && parsed.policy.checks.tests).toEqual({
      ...expected,
      timeout: 900_000,
      retries: 1,
      network: false,
      env: [],
    })
  })

  it.each(missing)('parses to the defaults: %s', async (_, files) => {
    const parsed = parsePolicy(renderPolicyFile(await detectPolicy(filesOf(files)), { base: 'main' }), 'p.yaml')
    expect(parsed.ok && parsed.policy).toEqual(defaultPolicy())
  })

  it.each(['a: b # c', '{x}', '- [', 'it\'s "quoted"', 'true', '42', '*x', 'a, b]', 'line\nbreak', 'x'.repeat(300)])(
    'quotes the command %j',
    (run) => {
      const detected = { tests: { run, setup: run, keep: { lockfile: 'a, b', paths: ['c]'] } }, why: 'a\nwhy: x' }
      const parsed = parsePolicy(renderPolicyFile(detected, { base: ['main', 'fix/#12'] }), 'p.yaml')
      expect(parsed.ok && [parsed.policy.base, parsed.policy.checks.tests]).toMatchObject([
        ['main', 'fix/#12'],
        detected.tests,
      ])
    },
  )

  it('names every merge method, and the keys that it leaves out', () => {
    const text = renderPolicyFile({ tests: null, why: '' }, { base: 'main' })
    expect(text).toContain('method: squash # merge | squash | rebase | fast-forward\n')
    for (const key of ['mode', 'rules', 'overrides', 'commands', 'policyChange', 'questions', 'docs/policy.md']) {
      expect(text.split('\n').at(-2)).toContain(key)
    }
  })

  it("begins with the editor's schema line", () => {
    expect(renderPolicyFile({ tests: null, why: '' }, { base: 'main' })).toMatch(
      /^# yaml-language-server: \$schema=\.\/\.switchyard\/policy\.schema\.json\n/,
    )
  })
})

describe('the rendered installation', () => {
  it.each([
    ['without repositories', []],
    [
      'with repositories',
      [
        { name: 'shop', remote: '/srv/shop, [old].git' },
        { name: '42', remote: '/srv/b #2.git' },
      ],
    ],
  ])('parses: %s', (_, repositories) => {
    const parsed = parseInstallation(renderInstallationFile({ repositories }), 's.yaml', '/home')
    expect(parsed.ok && parsed.config.repositories).toEqual(repositories)
  })
})
