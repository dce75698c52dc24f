// Rules beyond what the compiler checks, and the layers of the design. test/lint/layers.test.ts plants forbidden imports.
import tseslint from 'typescript-eslint'

const clientActivities = '#activities/[^/]+/port$'
const temporal = (...packages) => `@temporalio/(${packages.join('|')})(/|$)`
const node = 'node:'
/** Any package but Temporal's; those are named by the layers that may speak to it. */
const packages = '(?!@temporalio/|#|\\.|node:)'

/**
 * What each layer may import, as beginnings of specifiers: `values` however it likes, `types` only with `import type`.
 * Whatever is not named is forbidden. Inside a layer, relative imports are allowed as long as they stay in it.
 */
const layers = [
  { name: 'domain', values: ['#domain/'] },
  { name: 'contracts', values: ['#domain/', '#contracts/', temporal('workflow', 'common')] },
  {
    name: 'workflows',
    values: ['#domain/', '#contracts/', '#workflows/', temporal('workflow', 'common')],
    // A workflow names activities by their type; their code must never be in its bundle.
    types: ['#activities/'],
  },
  {
    name: 'activities',
    values: ['#domain/', '#contracts/', '#activities/', temporal('activity', 'client', 'common'), packages, node],
    // Activities are given a ledger; which one it is, they can't know.
    types: ['#ledger/port$'],
  },
  { name: 'config', values: ['#domain/', '#contracts/', '#config/', packages, node] },
  { name: 'ledger', values: ['#domain/', '#ledger/', packages, node] },
  {
    name: 'server',
    // bootstrap finds and makes the Temporal CLI before anything is installed, so those functions live in tools.
    values: [
      '#contracts/',
      '#server/',
      '(\\.\\./)+tools/temporal/',
      temporal('client', 'common', 'envconfig'),
      packages,
      node,
    ],
  },
  {
    name: 'installation',
    values: [
      '#(domain|contracts|activities|config|ledger|server|installation)/',
      temporal('client', 'common'),
      packages,
      node,
    ],
  },
  {
    name: 'workers',
    // Not #workflows: a worker bundles that folder by its path, and its code runs in the sandbox only.
    values: [
      '#(domain|contracts|activities|config|ledger|server|installation|workers)/',
      temporal('worker', 'client', 'common'),
      packages,
      node,
    ],
    // The bundle of a clone lies in the cache folder that provisioning knows.
    exceptions: [{ files: ['bundle.ts'], values: ['(\\.\\./)+tools/temporal/'] }],
  },
  {
    name: 'client',
    // It gets forge, ledger and connection from the installation, already opened: of those it knows only the ports.
    values: ['#(domain|contracts|config|server|installation|client)/', temporal('common'), packages, node],
    types: [clientActivities, '#ledger/port$', temporal('client')],
    exceptions: [
      // These start workers: as the process itself (`worker`), or as children whose roles they must know.
      { files: ['commands/worker.ts', 'commands/up.ts', 'commands/demo.ts', 'demo/**/*.ts'], values: ['#workers/'] },
      // The log of a role is that of the process which holds it.
      { files: ['worker-logs.ts'], values: ['#workers/roles$'] },
      // `doctor` tries the very sandbox and the very Temporal CLI that the installation would use.
      { files: ['doctor/**/*.ts'], values: ['#activities/tests/runner$', '(\\.\\./)+tools/temporal/'] },
      // The compile cache lies in the cache folder that provisioning knows.
      { files: ['main.ts'], values: ['(\\.\\./)+tools/temporal/'] },
      // `init` seeds the local forge before there is an installation that could be opened.
      { files: ['seed.ts'], values: ['#activities/forge/local$'] },
    ],
  },
]

const MAX_DEPTH = 4

/** One config for each depth of folders: how many `../` leave the layer depends on it. */
function layerConfigs(layer) {
  const folder = `src/${layer.name}`
  return [{ files: ['**/*.ts'], values: [] }, ...(layer.exceptions ?? [])].flatMap((exception) => {
    const allowed = { values: [...layer.values, ...exception.values], types: layer.types ?? [] }
    return exception.files.flatMap((pattern) =>
      pattern.startsWith('**') || pattern.includes('/**/')
        ? Array.from({ length: MAX_DEPTH }, (_, depth) => {
            const files = [`${folder}/${pattern.replace('**/*.ts', `${'*/'.repeat(depth)}*.ts`)}`]
            return layerConfig(layer.name, files, allowed, pattern.split('/').length - 2 + depth)
          })
        : [layerConfig(layer.name, [`${folder}/${pattern}`], allowed, pattern.split('/').length - 1)],
    )
  })
}

function layerConfig(name, files, { values, types }, depth) {
  // `./`s may come first; a `..` after a name, as in `./x/../../y`, is refused wherever it leads.
  const leaves = `(\\./)*(\\.\\./){${depth + 1}}`
  const inside = `(?!${leaves}|.*[^./]/+\\.\\.)\\.`
  const only = (sources) => `^(?!${[inside, ...sources].join('|')})`
  const message = `${name} may not import this: see "Layers" in eslint.config.js.`
  return {
    name: `layer ${name}, ${depth} deep`,
    files,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: only([...values, ...types]), message },
            ...types.map((type) => ({
              regex: `^${type}`,
              allowTypeImports: true,
              message: `${name} may import this as a type only.`,
            })),
          ],
        },
      ],
      'no-restricted-syntax': ['error', ...dynamicImports(only(values), message), ...(name === 'domain' ? pure : [])],
    },
  }
}

/** The rule for imports doesn't look at `import()`. A selector can't contain a slash inside its regular expression. */
function dynamicImports(forbidden, message) {
  return [{ selector: `ImportExpression[source.value=/${forbidden.replaceAll('/', '\\x2F')}/]`, message }]
}

/** Same input, same answer: the domain has no clock and no chance. */
const pure = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'The domain has no clock: take `now`.',
  },
  {
    selector: 'MemberExpression[object.name="Date"][property.name="now"]',
    message: 'The domain has no clock: take `now`.',
  },
  { selector: 'MemberExpression[object.name="Math"][property.name="random"]', message: 'The domain knows no chance.' },
]

const impureGlobals = [
  'process',
  'console',
  'performance',
  'crypto',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
]

/** What ESLint recommends and the compiler does not check already. */
const recommended = [
  'for-direction',
  'no-async-promise-executor',
  'no-case-declarations',
  'no-compare-neg-zero',
  'no-cond-assign',
  'no-constant-binary-expression',
  'no-control-regex',
  'no-debugger',
  'no-dupe-else-if',
  'no-duplicate-case',
  'no-empty-character-class',
  'no-empty-pattern',
  'no-ex-assign',
  'no-fallthrough',
  'no-invalid-regexp',
  'no-irregular-whitespace',
  'no-loss-of-precision',
  'no-misleading-character-class',
  'no-prototype-builtins',
  'no-self-assign',
  'no-sparse-arrays',
  'no-unreachable',
  'no-unsafe-finally',
  'no-unsafe-optional-chaining',
  'no-useless-backreference',
  'no-useless-catch',
  'no-useless-escape',
  'no-var',
  'preserve-caught-error',
  'prefer-const',
  'require-yield',
  'use-isnan',
  'valid-typeof',
]

const typed = {
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/only-throw-error': 'error',
  // A `default` stands for the cases that are treated alike; `never(value)` in it is what proves that none is left.
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
}

const defaults = ['direct', 'named', 'defaultFrom', 'namedFrom', 'namespaceFrom']

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'coverage/', 'test/histories/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      ...Object.fromEntries(recommended.map((rule) => [rule, 'error'])),
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: Object.fromEntries(defaults.map((kind) => [kind, true])) },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: ['{src,test,bench,scripts}/**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: typed,
  },
  { files: ['*.ts'], languageOptions: { parser: tseslint.parser } },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['src/domain/**/*.ts'], rules: { 'no-restricted-globals': ['error', ...impureGlobals] } },
  layers.map(layerConfigs),
  // Vitest and ESLint take what they are configured or extended with as default exports.
  {
    files: ['*.config.{js,ts}', 'test/support/global-setup.ts', 'scripts/flaky-reporter.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
)
