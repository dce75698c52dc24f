import type { CommandPolicy } from '#domain/policy'

export type DetectedTests = Pick<CommandPolicy, 'run' | 'setup' | 'keep'>
/** `why`: one sentence on what was found, or on what was looked for. */
export type DetectedPolicy = { tests: DetectedTests | null; why: string }

/** The files of a repository, by their path from its root; null for one that is not there. */
export type RepositoryFiles = { read(path: string): Promise<string | null> }

/** null: not there. `tests: null`: there, but it does not say how to test. */
type Detector = (files: RepositoryFiles) => Promise<DetectedPolicy | null>

const detectors: Detector[] = [detectNode, detectPython, detectGo, detectRust, detectMake]

/** A look at the repository: how it is tested. The first tool that says so wins. */
export async function detectPolicy(files: RepositoryFiles): Promise<DetectedPolicy> {
  const reasons: string[] = []
  for (const detector of detectors) {
    const detected = await detector(files)
    if (detected?.tests) return detected
    if (detected) reasons.push(detected.why)
  }
  const looked = 'no tests found: looked at package.json, pyproject.toml, go.mod, Cargo.toml and Makefile'
  return { tests: null, why: [looked, ...reasons].join('; ') }
}

type PackageManager = { lockfile: string; run: string; setup: string }

async function detectNode(files: RepositoryFiles): Promise<DetectedPolicy | null> {
  const text = await files.read('package.json')
  if (text === null) return null
  const manifest = parseJson(text)
  if (!manifest) return { tests: null, why: 'package.json is not valid JSON' }
  const script = stringAt(manifest, 'scripts', 'test')
  if (!script || /no test specified/.test(script)) return { tests: null, why: 'package.json has no test script' }
  const manager = await packageManager(files, manifest)
  if (!hasDependencies(manifest)) {
    return {
      tests: { run: manager?.run ?? 'npm test', setup: null, keep: null },
      why: 'from the test script of package.json',
    }
  }
  if (!manager) {
    const why = 'from the test script of package.json, without a lockfile: each run installs again'
    return { tests: { run: 'npm test', setup: 'npm install --no-audit --no-fund', keep: null }, why }
  }
  const { run, setup, lockfile } = manager
  return {
    tests: { run, setup, keep: { lockfile, paths: ['node_modules'] } },
    why: `from the test script of package.json and ${lockfile}`,
  }
}

async function packageManager(files: RepositoryFiles, manifest: object): Promise<PackageManager | null> {
  if ((await files.read('pnpm-lock.yaml')) !== null) {
    return { lockfile: 'pnpm-lock.yaml', run: 'pnpm test', setup: 'pnpm install --frozen-lockfile' }
  }
  if ((await files.read('yarn.lock')) !== null) {
    const modern =
      (await files.read('.yarnrc.yml')) !== null ||
      /^yarn@([2-9]|\d\d)/.test(stringAt(manifest, 'packageManager') ?? '')
    return {
      lockfile: 'yarn.lock',
      run: 'yarn test',
      setup: `yarn install ${modern ? '--immutable' : '--frozen-lockfile'}`,
    }
  }
  for (const lockfile of ['package-lock.json', 'npm-shrinkwrap.json']) {
    if ((await files.read(lockfile)) !== null) return { lockfile, run: 'npm test', setup: 'npm ci' }
  }
  return null
}

function hasDependencies(manifest: object): boolean {
  if ('workspaces' in manifest) return true
  return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].some((key) => {
    const value = (manifest as Record<string, unknown>)[key]
    return typeof value === 'object' && value !== null && Object.keys(value).length > 0
  })
}

async function detectPython(files: RepositoryFiles): Promise<DetectedPolicy | null> {
  const project = await files.read('pyproject.toml')
  const pytest = await mentionsPytest(files, project)
  if (!pytest) return project === null ? null : { tests: null, why: 'pyproject.toml does not mention pytest' }
  if ((await files.read('uv.lock')) !== null) {
    const keep = { lockfile: 'uv.lock', paths: ['.venv'] }
    return {
      tests: { run: 'uv run --no-sync pytest', setup: 'uv sync --frozen', keep },
      why: `from ${pytest} and uv.lock`,
    }
  }
  if ((await files.read('poetry.lock')) !== null) {
    const setup = 'POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction'
    const keep = { lockfile: 'poetry.lock', paths: ['.venv'] }
    return { tests: { run: '.venv/bin/python -m pytest', setup, keep }, why: `from ${pytest} and poetry.lock` }
  }
  for (const lockfile of ['requirements-dev.txt', 'requirements.txt']) {
    const requirements = await files.read(lockfile)
    if (requirements === null || !/^pytest\b/im.test(requirements)) continue
    const setup = `python3 -m venv .venv && .venv/bin/python -m pip install -r ${lockfile}`
    const keep = { lockfile, paths: ['.venv'] }
    return { tests: { run: '.venv/bin/python -m pytest', setup, keep }, why: `from ${pytest} and ${lockfile}` }
  }
  const why = `from ${pytest}, without a lockfile: pytest of this machine`
  return { tests: { run: 'python3 -m pytest', setup: null, keep: null }, why }
}

async function mentionsPytest(files: RepositoryFiles, project: string | null): Promise<string | null> {
  if (project !== null && /\bpytest\b/.test(project)) return 'pytest in pyproject.toml'
  if ((await files.read('pytest.ini')) !== null) return 'pytest.ini'
  if (/^\[tool:pytest\]/m.test((await files.read('setup.cfg')) ?? '')) return 'pytest in setup.cfg'
  return null
}

async function detectGo(files: RepositoryFiles): Promise<DetectedPolicy | null> {
  if ((await files.read('go.mod')) === null) return null
  const vendored = (await files.read('vendor/modules.txt')) !== null
  const sums = await files.read('go.sum')
  if (vendored || !sums?.trim()) return { tests: { run: 'go test ./...', setup: null, keep: null }, why: 'from go.mod' }
  // Go passes over folders whose name begins with a dot, so the cache is no part of ./...
  const cache = 'GOMODCACHE="$PWD/.gomodcache"'
  return {
    tests: {
      run: `${cache} go test ./...`,
      setup: `${cache} go mod download`,
      keep: { lockfile: 'go.sum', paths: ['.gomodcache'] },
    },
    why: 'from go.mod and go.sum',
  }
}

async function detectRust(files: RepositoryFiles): Promise<DetectedPolicy | null> {
  if ((await files.read('Cargo.toml')) === null) return null
  const lock = await files.read('Cargo.lock')
  if (!lock || !/^source = /m.test(lock))
    return { tests: { run: 'cargo test', setup: null, keep: null }, why: 'from Cargo.toml' }
  const home = 'CARGO_HOME="$PWD/.cargo-home"'
  return {
    tests: {
      run: `${home} cargo test --locked --offline`,
      setup: `${home} cargo fetch --locked`,
      keep: { lockfile: 'Cargo.lock', paths: ['.cargo-home'] },
    },
    why: 'from Cargo.toml and Cargo.lock',
  }
}

async function detectMake(files: RepositoryFiles): Promise<DetectedPolicy | null> {
  for (const name of ['GNUmakefile', 'makefile', 'Makefile']) {
    const text = await files.read(name)
    if (text === null) continue
    if (!/^test[ \t]*::?(?!=)/m.test(text)) return { tests: null, why: `${name} has no target test` }
    return { tests: { run: 'make test', setup: null, keep: null }, why: `from the target test of the ${name}` }
  }
  return null
}

function parseJson(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}

function stringAt(value: object, ...path: string[]): string | null {
  const found = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  )
  return typeof found === 'string' ? found : null
}
