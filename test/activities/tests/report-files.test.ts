import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formerReports, writtenReports } from '#activities/tests/report-files'

let root: string
let tree: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'switchyard-reports-'))
  tree = join(root, 'tree')
  await mkdir(tree)
  await writeFile(join(root, 'outside.xml'), 'outside')
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function write(path: string, content = path): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true })
  await writeFile(join(tree, path), content)
}

async function found(report: string, before: () => Promise<void> = async () => {}, command = async () => {}) {
  await before()
  const former = await formerReports(tree, report)
  await command()
  const { files, problem } = await writtenReports(tree, report, former)
  return { paths: files.map(({ path }) => path), contents: files.map(({ content }) => `${content}`), problem }
}

const afterwards = (report: string, command: () => Promise<void>) => found(report, undefined, command)

describe('what a command wrote as its report', () => {
  test('is the file of that path', async () => {
    expect(await afterwards('./out/junit.xml', () => write('out/junit.xml', 'whole'))).toEqual({
      ...{ paths: ['out/junit.xml'], contents: ['whole'], problem: null },
    })
  })

  test('is every file that a glob matches, in the order of names', async () => {
    const paths = ['a/TEST-2.xml', 'a/b/TEST-1.xml', '.c/TEST-3.xml', 'a/other.txt']
    const { paths: matched } = await afterwards('**/TEST-*.xml', async () => {
      for (const path of paths) await write(path)
    })
    expect(matched).toEqual(['.c/TEST-3.xml', 'a/TEST-2.xml', 'a/b/TEST-1.xml'])
  })

  test('is missing where there is none', async () => {
    expect(await found('junit.xml')).toMatchObject({ paths: [], problem: 'report junit.xml is missing' })
    expect(await found('out/*.xml')).toMatchObject({ paths: [], problem: 'report out/*.xml is missing' })
  })

  test('is never what the commit holds already, but is what the command wrote over it', async () => {
    const committed = () => write('junit.xml', 'old')
    expect(await found('junit.xml', committed)).toMatchObject({ paths: [], problem: 'report junit.xml is missing' })
    const replaced = await found('*.xml', committed, () => write('junit.xml', 'new'))
    expect(replaced).toMatchObject({ contents: ['new'], problem: null })
  })

  test.each([
    ['a link', 'junit.xml', () => symlink('../outside.xml', join(tree, 'junit.xml'))],
    ['in a folder that is a link', 'out/outside.xml', () => symlink('..', join(tree, 'out'))],
    ['in a folder that is a link, by a glob', 'out/*.xml', () => symlink('..', join(tree, 'out'))],
    ['below a link, by a glob', '**/outside.xml', () => symlink('..', join(tree, 'out'))],
    ['a pipe', 'junit.xml', async () => void execFileSync('mkfifo', [join(tree, 'junit.xml')])],
    ['a folder', 'junit.xml', async () => void (await mkdir(join(tree, 'junit.xml')))],
  ])('is nothing that is %s', async (_what, report, command) => {
    expect(await afterwards(report, command)).toMatchObject({ contents: [], problem: `report ${report} is missing` })
  })

  test('is not read when it is larger than anybody needs', async () => {
    const command = async () => {
      await write('junit.xml')
      await truncate(join(tree, 'junit.xml'), 30 * 1024 * 1024)
    }
    expect(await afterwards('junit.xml', command)).toMatchObject({
      ...{ paths: [], problem: 'report junit.xml is larger than is read' },
    })
  })
})
