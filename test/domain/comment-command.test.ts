import { describe, expect, test } from 'vitest'
import { commandRefusal, commandText, parseCommands, type CommandName } from '#domain/comment-command'
import type { KnownPerson } from '#domain/people'

const merge = { name: 'merge', head: null }
const sha = '3f2a91c0'.repeat(5)

describe('a comment', () => {
  test.each<[string, object[]]>([
    ['/switchyard merge', [merge]],
    ['/switchyard MERGE  ', [merge]],
    ['/Switchyard\tmerge\r\nthanks', [merge]],
    ['Looks good.\n\n/switchyard merge\n', [merge]],
    ['   /switchyard merge', [merge]],
    [`/switchyard merge ${sha.slice(0, 7).toUpperCase()}`, [{ name: 'merge', head: sha.slice(0, 7) }]],
    ['/switchyard hold', [{ name: 'hold', cancel: false, reason: '' }]],
    ['/switchyard hold  until   the fair', [{ name: 'hold', cancel: false, reason: 'until the fair' }]],
    ['/switchyard hold cancel', [{ name: 'hold', cancel: true, reason: '' }]],
    ['/switchyard hold cancel the fair', [{ name: 'hold', cancel: false, reason: 'cancel the fair' }]],
    ['/switchyard retry\n/switchyard merge', [{ name: 'retry' }, merge]],
    ['/switchyard review', [{ name: 'review' }]],
    ['> /switchyard hold\n\n/switchyard merge', [merge]],
    ['```\n/switchyard hold\n```\n/switchyard merge', [merge]],
    ['<!-- hidden\n/switchyard hold\n-->\n/switchyard merge', [merge]],
    ['Write `<!--` to hide.\n\n/switchyard merge', [merge]],
    ['Write ``a ` <!--`` or ` <!-- `\n\n/switchyard merge', [merge]],
    ['> quoted\n\n/switchyard retry\n/switchyard merge', [{ name: 'retry' }, merge]],
    ['> quoted\n<!-- -->\n/switchyard merge', [merge]],
    ['> <pre>\n\n/switchyard merge', [merge]],
    ['<pre>\n/switchyard hold\n</pre>\n/switchyard merge', [merge]],
    ['<pre><pre></pre>\n\n</PRE>\n/switchyard merge', [merge]],
    ['<style> p {} </style>\n/switchyard merge', [merge]],
    ['Write `<pre>` or <!-- <pre> --> or <prefix>.\n\n/switchyard merge', [merge]],
    ['<blockquote>a</blockquote>\n\n/switchyard merge', [merge]],
  ])('%j says %o', (body, commands) => {
    expect(parseCommands(body)).toEqual(commands)
  })

  test.each([
    '',
    'Please merge.',
    'See /switchyard merge',
    '> /switchyard merge',
    '    /switchyard merge',
    '\t/switchyard merge',
    '`/switchyard merge`',
    '- /switchyard merge',
    '/switchyards merge',
    '/switchyard-merge',
    '```\n/switchyard merge',
    '```sh\n/switchyard merge\n```',
    '````\n```\n/switchyard merge\n````',
    '~~~\n```\n/switchyard merge\n~~~',
    '```\n~~~\n/switchyard merge',
    '<!--\n/switchyard merge\n-->',
    '<!-- a -->b<!--\n/switchyard merge\n-->',
    '<!--\n--> <!--\n/switchyard merge\n-->',
    'One ` and <!--\n/switchyard merge\n-->',
    '> quoted\n/switchyard merge',
    '> quoted\n/switchyard merge\n/switchyard hold',
    '- an item\n/switchyard merge',
    '> quoted <!--\n-->\n/switchyard merge',
    'It says\n/switchyard merge',
    '<pre>\n/switchyard merge\n</pre>',
    '<pre>\n\n/switchyard merge',
    '<PRE lang="sh">\n\n/switchyard merge\n\n</PRE>',
    'See <pre>\n\n/switchyard merge\n</pre>',
    '<div><pre\nid="x">\n\n/switchyard merge\n</pre></div>',
    '<script>\n\n/switchyard merge\n</script>',
    '<style>\n\n/switchyard merge\n</style>',
    '<textarea>\n\n/switchyard merge\n</textarea>',
    '<blockquote>\n\n<blockquote>a</blockquote>\n\n/switchyard merge\n\n</blockquote>',
    '<!-- --> <pre>\n\n/switchyard merge\n</pre>',
    'It <!-- --` `>\n\n/switchyard merge\n-->',
  ])('%j says nothing', (body) => {
    expect(parseCommands(body)).toEqual([])
  })

  test.each([
    ['/switchyard', 'there is no such command'],
    ['/switchyard deploy', 'there is no such command'],
    ['/switchyard merge please', 'takes nothing, or the commit'],
    ['/switchyard merge 3f2a91', 'takes nothing, or the commit'],
    ['/switchyard retry now', '`retry` takes nothing'],
    ['/switchyard Review 1', '`review` takes nothing'],
  ])('%j is refused: %s', (body, problem) => {
    expect(parseCommands(body)).toEqual([{ name: 'unknown', problem: expect.stringContaining(problem) }])
  })

  test('with more commands than anybody means is refused as a whole', () => {
    expect(parseCommands('/switchyard retry\n'.repeat(5))).toHaveLength(5)
    expect(parseCommands('/switchyard retry\n'.repeat(6))).toEqual([
      { name: 'unknown', problem: expect.stringContaining('6 commands') },
    ])
  })

  test.each([
    ['backticks', '`'.repeat(65_000)],
    ['pairs', '`x'.repeat(32_000)],
    ['comments', '<!--'.repeat(16_000)],
    ['whole comments', '<!---->'.repeat(9_000)],
    ['elements', '<pre>'.repeat(13_000)],
    ['whole elements', '<pre></pre>'.repeat(6_000)],
    ['lines of elements', '<pre>\n</pre>\n'.repeat(4_000)],
    ['spaces', ' '.repeat(65_000)],
    ['runs', Array.from({ length: 360 }, (_, length) => '`'.repeat(length)).join('x')],
  ])('of nothing but %s takes no time', (_, text) => {
    const before = performance.now()
    parseCommands(`${text}<!--\n/switchyard merge\n${text}`)
    expect(performance.now() - before).toBeLessThan(1_000)
  })

  test('keeps no secret and no endless reason', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    const [held, long] = parseCommands(`/switchyard hold for ${token}\n/switchyard hold ${'x'.repeat(5_000)}`)
    expect(JSON.stringify(held)).not.toContain(token)
    expect(JSON.stringify(long).length).toBeLessThan(300)
  })
})

const person = (name: string, groups: string[] = [], login: string | null = null): KnownPerson => ({
  ...{ name, login, email: `${name}@example.org`, groups },
})
const people = [person('bob', ['core'], 'bob-hub'), person('cay')]

function may(name: CommandName, actor: string, allowed?: string[], listed = people): boolean {
  const permissions = allowed === undefined ? undefined : { [name]: allowed }
  return commandRefusal(name, actor, { author: 'ann', permissions, people: listed }) === null
}

describe('a command is heard from', () => {
  test.each<[string, CommandName, string, string[] | undefined, boolean]>([
    ['the author', 'merge', 'Ann', undefined, true],
    ['a listed person', 'hold', 'bob', undefined, true],
    ['a listed person by login', 'hold', 'BOB-hub', undefined, true],
    ['a listed person by address', 'review', 'cay@example.org', undefined, true],
    ['nobody who is not listed', 'retry', 'mallory', undefined, false],
    ['not even the author where only people may', 'merge', 'ann', ['people'], false],
    ['a person who is named', 'merge', 'cay', ['cay'], true],
    ['nobody else then', 'merge', 'bob', ['cay'], false],
    ['a group', 'merge', 'bob', ['core'], true],
    ['none but the group', 'merge', 'cay', ['core'], false],
    ['anyone', 'merge', 'mallory', ['anyone'], true],
    ['nobody', 'merge', 'ann', [], false],
  ])('%s: %s by %s where %o may', (_, name, actor, allowed, expected) => {
    expect(may(name, actor, allowed)).toBe(expected)
  })

  test('anybody where the installation lists nobody', () => {
    expect(may('merge', 'mallory', undefined, [])).toBe(true)
    expect(may('merge', 'mallory', ['author'], [])).toBe(false)
  })

  test('those whom the refusal names', () => {
    const context = { author: 'ann', permissions: { merge: ['author', 'core'] }, people }
    expect(commandRefusal('merge', 'cay', context)).toBe(
      'cay may not: only author, core may, by `commands.merge` of the policy',
    )
  })
})

test('a command is recorded as it was given, without its reason', () => {
  const texts = parseCommands('/switchyard merge 3f2a91c\n/switchyard hold x\n/switchyard hold cancel\n/switchyard x')
  expect(texts.map(commandText)).toEqual(['merge 3f2a91c', 'hold', 'hold cancel', 'unknown'])
})
