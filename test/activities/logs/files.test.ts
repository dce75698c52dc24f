import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFileLogStore } from '#activities/logs/files'

const secret = 'kiwi-Sieben-4711-Truhe'
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-logs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function written(chunks: (string | Buffer)[], known: string[] = []) {
  const store = createFileLogStore(folder, { known })
  const writer = await store.create('a-log')
  for (const chunk of chunks) writer.write(Buffer.from(chunk))
  const reference = await writer.close()
  const data = (await store.read(reference.uri)) ?? Buffer.alloc(0)
  return { reference, data, text: data.toString() }
}

describe('a log file', () => {
  test('holds what was written', async () => {
    expect((await written(['one\ntw', 'o\nthree'])).text).toBe('one\ntwo\nthree')
  })

  test('is named, measured and hashed in its reference', async () => {
    const { reference, data } = await written(['grüße\n'])
    const sha256 = createHash('sha256').update(data).digest('hex')
    expect(reference).toEqual({ uri: 'log:a-log', sha256, bytes: data.length, tail: 'grüße\n' })
  })

  test('keeps characters whole that arrive in two chunks', async () => {
    const bytes = Buffer.from('ü\n')
    expect((await written([bytes.subarray(0, 1), bytes.subarray(1)])).text).toBe('ü\n')
  })

  test('has a tail of whole characters and at most 4 KB', async () => {
    const { reference } = await written(['€'.repeat(5_000)])
    expect(Buffer.byteLength(reference.tail)).toBeLessThanOrEqual(4096)
    expect(reference.tail).toMatch(/^€+$/)
  })

  test('has no terminal escape left', async () => {
    expect((await written(['\x1b[31mred\x1b', '[0m\x1b]0;title\x07\n'])).text).toBe('red\n')
  })

  test('reads as null once it is removed', async () => {
    expect(await createFileLogStore(folder).read('log:gone')).toBeNull()
  })
})

describe('a secret', () => {
  test.each([1, 2, 7, 21])('is masked although it is cut after %i characters', async (at) => {
    const { text } = await written([`x ${secret.slice(0, at)}`, `${secret.slice(at)} y\n`], [secret])
    expect(text).toMatch(/^x .*\*{4} y\n$/)
    expect(text).not.toContain(secret)
  })

  test('is masked in the tail of the reference', async () => {
    expect((await written([`${secret}\n`], [secret])).reference.tail).not.toContain(secret)
  })

  test.each([65_530, 61_430, 65_536 - 4096 - 5])('is masked at character %i of an endless line', async (at) => {
    const { text } = await written(['a'.repeat(at) + secret + 'b'.repeat(70_000)], [secret])
    expect(text).not.toContain(secret)
    expect(text).not.toContain(secret.slice(6))
  })

  test('of one log alone is masked in it', async () => {
    const writer = await createFileLogStore(folder).create('own', [secret])
    writer.write(Buffer.from(secret))
    expect((await writer.close()).tail).not.toContain(secret)
  })

  test('is masked in base64 and with a colour in its middle', async () => {
    const base64 = Buffer.from(secret).toString('base64')
    const { text } = await written([`${base64}\n${secret.slice(0, 9)}\x1b[1m${secret.slice(9)}\n`], [secret])
    expect(text).not.toContain(base64)
    expect(text).not.toContain(secret)
  })

  test('is masked at every border of what is kept of a long log', async () => {
    const { text } = await written(
      Array.from({ length: 600 }, () => `${secret}\n`.repeat(1_000)),
      [secret],
    )
    expect(text).toContain('bytes left out')
    expect(text).not.toContain(secret.slice(6))
  })
})

describe('a log of more than 10 MB', () => {
  test('keeps its first and last 5 MB and says how much is left out', async () => {
    const line = `${'x'.repeat(99)}\n`
    const chunk = line.repeat(10_000)
    const { text, data } = await written(['first\n', ...Array.from({ length: 50 }, () => chunk), 'last\n'])
    const omitted = Number(/… (\d+) bytes left out …/.exec(text)?.[1])
    expect(text.startsWith('first\n')).toBe(true)
    expect(text.endsWith('last\n')).toBe(true)
    expect(data.length).toBeLessThan(10_000_100)
    expect(omitted + data.length).toBeGreaterThanOrEqual(50_000_011)
  })

  test('needs no memory for what it leaves out', async () => {
    const writer = await createFileLogStore(folder).create('long')
    const chunk = Buffer.alloc(1_000_000, `${'y'.repeat(79)}\n`)
    const before = process.memoryUsage().rss
    for (let megabyte = 0; megabyte < 1_000; megabyte += 1) writer.write(chunk)
    const grown = process.memoryUsage().rss - before
    await writer.close()
    expect(grown).toBeLessThan(150_000_000)
  })
})

describe('a name', () => {
  test.each(['../x', 'a/b', '', '..', '.hidden', 'a b', 'x\0', 'ü'])('%j is refused', async (name) => {
    await expect(createFileLogStore(folder).create(name)).rejects.toThrow('invalid log name')
    expect(await readdir(folder)).toEqual([])
  })

  test.each(['log:../x', 'file:x', 'log:', 'log:a/b'])('%j has no path', (uri) => {
    expect(createFileLogStore(folder).path(uri)).toBeNull()
  })
})

describe('the logs of a pull request', () => {
  const run = (digit: string) => `-${digit.repeat(32)}-1.log`

  test('are found while they are written, oldest first, and are of no other one', async () => {
    const store = createFileLogStore(folder)
    const names = [`shop.1.tests${run('b')}`, `shop.1.unit-tests${run('a')}`, `shop.12.tests${run('a')}`]
    names.push(`shop.1.2.tests${run('a')}`, 'other.log')
    for (const name of names) {
      const writer = await store.create(name)
      writer.write(Buffer.from('x\n'))
      if (name !== names[0]) await writer.close()
    }
    const found = await store.ofPullRequest('shop', 1)
    expect(found.map(({ check, uri }) => [check, uri])).toEqual([
      ['tests', `log:${names[0]}`],
      ['unit-tests', `log:${names[1]}`],
    ])
    expect((await store.ofPullRequest('shop.1', 2)).map(({ uri }) => uri)).toEqual([`log:${names[3]}`])
  })

  test('are none where nothing was written', async () => {
    expect(await createFileLogStore(join(folder, 'not')).ofPullRequest('shop', 1)).toEqual([])
  })
})
