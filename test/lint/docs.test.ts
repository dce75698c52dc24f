import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PassThrough } from 'node:stream'
import { createProgram } from '#client/cli'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path))
const pages = ['README.md', 'ARCHITECTURE.md', ...inDocs.filter((path) => path.endsWith('.md'))].sort()
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test.each(pages)('every link of %s leads to a file that is there', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!)
  const dead = links.filter((link) => !existsSync(join(root, dirname(page), link)))
  expect(dead).toEqual([])
})

test('the index of docs has every page of it', () => {
  const index = read('docs/README.md')
  const listed = (path: string) => index.includes(`(${path.slice('docs/'.length)})`)
  const own = pages.filter((path) => path.startsWith('docs/') && !/^docs\/(README\.md|decisions\/)/.test(path))
  expect(own.filter((path) => !listed(path))).toEqual([])
})

test.each(pages)('every switchyard command in the code of %s is one', async (page) => {
  const code = [...read(page).matchAll(/`(switchyard [a-z][^`\n]*)`|^\s*(?:\$ )?(switchyard [a-z].*)$/gm)]
  const program = createProgram({ stdout: new PassThrough() }, async () => {})
  for (const [, inline, line] of code) {
    const words = (inline ?? line)!.split(/\s+/).slice(1)
    let command = program
    for (const word of words) {
      const child = command.commands.find((one) => one.name() === word)
      if (child === undefined) break
      command = child
    }
    expect(command, `${page}: ${inline ?? line}`).not.toBe(program)
  }
})
