import { ESLint } from 'eslint'
import { describe, expect, test } from 'vitest'

/** The real config; only type information is left out, so that a planted file needs not exist. */
const eslint = new ESLint({
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } }],
  ruleFilter: ({ ruleId }) => layerRules.has(ruleId),
})
const layerRules = new Set([
  '@typescript-eslint/no-restricted-imports',
  'no-restricted-syntax',
  'no-restricted-globals',
])

async function problems(path: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: `src/${path}` })
  return result!.messages.map((message) => message.message)
}

const value = (specifier: string) => `import { x } from '${specifier}'\nx()\n`
const type = (specifier: string) => `import type { X } from '${specifier}'\nexport type Y = X\n`
const lazy = (specifier: string) => `export const x = () => import('${specifier}')\n`
const again = (specifier: string) => `export { x } from '${specifier}'\n`

const forbidden: [path: string, specifiers: string[]][] = [
  ['domain/x.ts', ['node:fs', 'fs', 'zod', '@temporalio/common', '#contracts/ids', '#activities/git/port']],
  ['contracts/x.ts', ['node:crypto', 'zod', '@temporalio/client', '@temporalio/workflowish', '#workflows/index']],
  ['contracts/x.ts', ['#activities/git/port', '#config/policy', '#ledger/port']],
  ['workflows/x.ts', ['#activities/git/run', '#activities/git/port', '@temporalio/client', 'node:fs', '#config/units']],
  ['workflows/x.ts', ['#ledger/port', '#client/cli', '#workers/run', 'execa', '@temporalio/activity']],
  ['activities/git/x.ts', ['#workflows/index', '#config/policy', '#ledger/sqlite', '#ledger/port', '#server/find']],
  ['activities/git/x.ts', ['#client/cli', '#workers/run', '#installation/open', '@temporalio/worker']],
  ['config/x.ts', ['#activities/git/port', '#ledger/port', '#server/port', '#client/cli', '@temporalio/client']],
  ['ledger/x.ts', ['#contracts/ids', '#activities/git/port', '#config/policy', '@temporalio/common']],
  ['server/x.ts', ['#domain/decide', '#activities/git/port', '#client/cli', '@temporalio/worker']],
  ['installation/x.ts', ['#workflows/index', '#workers/run', '#client/cli', '@temporalio/worker']],
  ['workers/x.ts', ['#client/cli', '#workflows/index']],
  ['client/x.ts', ['#workflows/index', '#workers/run', '#activities/git/run', '#ledger/sqlite', '@temporalio/worker']],
  ['client/x.ts', ['#activities/forge/port', '#ledger/port', '#activities/forge/local']],
  ['client/commands/pr-view.ts', ['#workers/roles', '#workflows/index']],
  ['client/commands/up.ts', ['#workflows/index', '#activities/tests/runner']],
  ['client/demo/x.ts', ['#workflows/index']],
  ['client/doctor/x.ts', ['#workers/run', '#activities/git/run']],
]

const allowed: [path: string, specifiers: string[]][] = [
  ['domain/x.ts', ['./result.ts', '#domain/result']],
  ['contracts/x.ts', ['./ids.ts', '#domain/decision', '@temporalio/workflow', '@temporalio/common']],
  ['workflows/x.ts', ['./proxies.ts', '#domain/decide', '#contracts/ids', '@temporalio/workflow']],
  ['activities/git/x.ts', ['./port.ts', '../process/run.ts', '#activities/git/port', '#domain/mask', 'node:fs']],
  ['activities/git/x.ts', ['picomatch', '@secretlint/core', '@temporalio/activity', '#contracts/ids']],
  ['config/x.ts', ['zod', 'yaml', 'node:path', '#domain/policy', '#contracts/timings']],
  ['ledger/x.ts', ['kysely', 'node:sqlite', '#domain/evidence', './port.ts']],
  ['server/x.ts', ['@temporalio/client', '../../tools/temporal/provision.mjs', '#contracts/search-attributes']],
  ['installation/x.ts', ['#activities/forge/local', '#ledger/sqlite', '#server/find', '#config/load']],
  ['workers/x.ts', ['#activities/git/repository', '@temporalio/worker', '#installation/open', 'pino']],
  ['client/x.ts', ['commander', 'node:fs', '#contracts/ids', '#domain/text', '#installation/open']],
  ['client/commands/pr-view.ts', ['../context.ts', '#config/policy']],
  ['client/commands/worker.ts', ['#workers/main', '../context.ts']],
  ['client/commands/up.ts', ['#workers/roles']],
  ['client/demo/x.ts', ['#workers/roles', '../cli.ts']],
  ['client/doctor/x.ts', ['#activities/tests/runner', '../../../tools/temporal/provision.mjs']],
  ['client/seed.ts', ['#activities/forge/local']],
]

const flat = (table: [string, string[]][]) => table.flatMap(([path, all]) => all.map((one) => [path, one] as const))

describe('a forbidden import is reported', () => {
  test.each(flat(forbidden))('src/%s ← %s', async (path, specifier) => {
    for (const written of [value, lazy, again]) {
      expect(await problems(path, written(specifier)), written(specifier)).not.toEqual([])
    }
  })

  const leaving: [string, string][] = [
    ['domain/x.ts', '../contracts/ids.ts'],
    ['domain/x.ts', './../contracts/ids.ts'],
    ['domain/x.ts', './nothing/../../contracts/ids.ts'],
    ['contracts/x.ts', '../activities/git/run.ts'],
    ['workflows/x.ts', '../activities/git/run.ts'],
    ['activities/long.ts', '../ledger/sqlite.ts'],
    ['activities/git/x.ts', '../../ledger/sqlite.ts'],
    ['activities/git/a/b/x.ts', '../../../../ledger/sqlite.ts'],
    ['config/x.ts', '../client/cli.ts'],
    ['ledger/x.ts', '../activities/git/run.ts'],
    ['server/x.ts', '../client/cli.ts'],
    ['installation/x.ts', '../workers/run.ts'],
    ['workers/x.ts', '../client/cli.ts'],
    ['client/x.ts', '../workflows/index.ts'],
    ['client/commands/x.ts', '../../workers/run.ts'],
    ['client/commands/worker.ts', '../../workflows/index.ts'],
  ]
  test.each(leaving)('src/%s ← %s, the relative form', async (path, specifier) => {
    for (const written of [value, type, lazy]) {
      expect(await problems(path, written(specifier)), written(specifier)).not.toEqual([])
    }
  })

  test('a type of a layer above is no better than a value', async () => {
    expect(await problems('domain/x.ts', type('#contracts/ids'))).toHaveLength(1)
    expect(await problems('client/x.ts', type('#activities/git/run'))).toHaveLength(1)
  })
})

describe('an allowed import is not reported', () => {
  test.each(flat(allowed))('src/%s ← %s', async (path, specifier) => {
    for (const written of [value, type, lazy, again]) {
      expect(await problems(path, written(specifier)), written(specifier)).toEqual([])
    }
  })

  test.each([
    ['workflows/x.ts', '#activities/git/activities'],
    ['activities/git/x.ts', '#ledger/port'],
    ['client/x.ts', '#activities/forge/port'],
    ['client/x.ts', '#ledger/port'],
    ['client/x.ts', '@temporalio/client'],
  ])('src/%s ← type of %s', async (path, specifier) => {
    expect(await problems(path, type(specifier))).toEqual([])
  })
})

describe('the domain has no clock, no chance and no I/O', () => {
  test.each([
    'export const x = new Date()',
    'export const x = Date.now()',
    'export const x = Math.random()',
    'export const x = process.env',
    'export const x = () => fetch("y")',
    'export const x = () => setTimeout(x, 1)',
  ])('%s', async (code) => {
    expect(await problems('domain/x.ts', `${code}\n`)).toHaveLength(1)
  })

  test('an instant that it was given may be read', async () => {
    expect(await problems('domain/x.ts', 'export const x = (now: string) => new Date(now)\n')).toEqual([])
  })
})
