import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Manifest = Record<'dependencies' | 'devDependencies' | 'overrides', Record<string, string>>

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

test('every dependency has one line in docs/dependencies.md, and every line a dependency', () => {
  const manifest = JSON.parse(read('package.json')) as Manifest
  const documented = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1])
  const { dependencies, devDependencies, overrides } = manifest
  expect(documented.sort()).toEqual([dependencies, devDependencies, overrides].flatMap(Object.keys).sort())
})

test.each([
  ['package.json', '@swc/core', /"@swc\/core": "([\d.]+)"/],
  ['scripts/bootstrap.mjs', 'node', /NODE_VERSION = '([\d.]+)'/],
  ['tools/temporal/provision.mjs', 'CLI', /TEMPORAL_CLI_VERSION = '([\d.]+)'/],
])('docs/dependencies.md names the version that %s pins', (path, _name, pattern) => {
  expect(read('docs/dependencies.md')).toContain(` ${pattern.exec(read(path))![1]} |`)
})
