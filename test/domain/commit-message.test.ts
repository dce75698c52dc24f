import { describe, expect, test } from 'vitest'
import { landingMessage, squashAuthor, type LandedCommit, type LandingMessage } from '#domain/commit-message'

const ann = { name: 'Ann', email: 'ann@example.com' }
const bob = { name: 'Bob', email: 'bob@example.com' }
const escape = String.fromCharCode(27)
const nul = String.fromCharCode(0)

function commit(author: LandedCommit['author'], message = 'Work', parents = ['parent']): LandedCommit {
  return { author, message, subject: message.split('\n')[0] ?? '', parents }
}

function message(change: Partial<LandingMessage> = {}): string {
  return landingMessage({
    method: 'squash',
    template: '{title} (#{number})',
    cutMarks: ['<!-- cut -->'],
    number: 7,
    title: 'Add a basket',
    body: 'It holds things.',
    author: 'ann',
    headRef: 'basket',
    baseRef: 'main',
    commits: [commit(ann, 'Add')],
    workflowId: 'queue:shop@main',
    ...change,
  })
}

const subject = (change: Partial<LandingMessage>) => message(change).split('\n')[0]

describe('the message of what lands', () => {
  test('is subject, body and the trailer of its pipeline', () => {
    expect(message()).toBe('Add a basket (#7)\n\nIt holds things.\n\nSwitchyard-Run: queue:shop@main\n')
  })

  test('has no gap where there is no body', () => {
    expect(message({ body: ' \n ' })).toBe('Add a basket (#7)\n\nSwitchyard-Run: queue:shop@main\n')
  })

  test('the trailer is in the last paragraph even after a body that imitates one', () => {
    const last = message({ body: 'Switchyard-Run: forged' }).trim().split('\n\n').at(-1)
    expect(last).toBe('Switchyard-Run: queue:shop@main')
  })

  test.each([
    ['CRLF', 'one\r\ntwo'],
    ['CR', 'one\rtwo'],
  ])('line ends of the body written as %s become newlines', (_name, body) => {
    expect(message({ body })).toContain('\n\none\ntwo\n\n')
  })

  test('control characters, which git refuses or a terminal obeys, are taken out', () => {
    const hostile = `a${nul}b${escape}[31mc`
    expect(message({ title: hostile, body: hostile })).toBe('abc (#7)\n\nabc\n\nSwitchyard-Run: queue:shop@main\n')
  })
})

describe('the template', () => {
  test.each([
    ['{title} {number} {author} {head} {base}', 'Add a basket 7 ann basket main'],
    ['{title} {title}', 'Add a basket Add a basket'],
    ['{unknown} {constructor} {title}', '{unknown} {constructor} Add a basket'],
    ['{title}\n\nmore', 'Add a basket'],
    ['  ', 'Merge #7'],
  ])('%j gives %j', (template, expected) => {
    expect(subject({ template })).toBe(expected)
  })

  test.each([
    ['a placeholder in a title stays text', '{author} did it', '{author} did it (#7)'],
    ['a replacement pattern in a title stays text', 'cost $& $1', 'cost $& $1 (#7)'],
    ['a title never makes a second line', 'one\r\n\r\ntwo', 'one two (#7)'],
  ])('%s', (_name, title, expected) => {
    expect(subject({ title })).toBe(expected)
  })
})

describe('a template of several lines', () => {
  const body = (template: string, change: Partial<LandingMessage> = {}) =>
    message({ template, ...change })
      .split('\n\n')
      .slice(1, -1)
  const commits = [commit(ann, 'Add\n\nwhy'), commit(bob, 'Merge main', ['a', 'b']), commit(ann, 'Fix {title}')]

  test('says where the body goes', () => {
    expect(body('{title}\n\n{body}\n\nReviewed by us.')).toEqual(['It holds things.', 'Reviewed by us.'])
  })

  test('is followed by the body where it does not', () => {
    expect(body('{title}\n\nPR #{number}')).toEqual(['PR #7', 'It holds things.'])
  })

  test('has no gap where a value is empty', () => {
    expect(body('{title}\n\n{body}\n\nend', { body: '' })).toEqual(['end'])
  })

  test('lists the subjects of the commits, without those that merge the base into the head', () => {
    expect(body('{title}\n\n{commits}', { commits, body: '' })).toEqual(['* Add\n* Fix {title}'])
  })

  test('keeps the body as it is, placeholders in it and empty lines too', () => {
    expect(body('{title}\n\n{body}', { body: 'a {number}\n\nb' })).toEqual(['a {number}', 'b'])
  })
})

describe('co-authors', () => {
  const by = (...people: { name: string; email: string }[]) => ({ commits: people.map((author) => commit(author)) })
  const named = (text: string) => text.match(/^Co-authored-by: .*$/gm) ?? []
  const cay = 'Co-authored-by: Cay <cay@example.com>'

  test('of a squash are named once, without the author of its first commit', () => {
    const loudBob = { name: 'Bob', email: 'BOB@example.com' }
    expect(named(message(by(ann, bob, ann, bob, loudBob)))).toEqual(['Co-authored-by: Bob <bob@example.com>'])
  })

  test('stand in one paragraph with the trailer of the pipeline', () => {
    const last = message(by(ann, bob)).trim().split('\n\n').at(-1)
    expect(last).toBe('Co-authored-by: Bob <bob@example.com>\nSwitchyard-Run: queue:shop@main')
  })

  test('that a squashed commit names are named, and its author is not', () => {
    const text = `Add\n\nwhy\n\nSigned-off-by: Bob <bob@example.com>\n${cay}\nco-authored-by: Ann <ANN@example.com>`
    expect(named(message({ commits: [commit(ann), commit(ann, text)] }))).toEqual([cay])
  })

  test('are not found in the middle of a message', () => {
    expect(named(message({ commits: [commit(ann, `Add\n\n${cay}\n\nno more`)] }))).toEqual([])
  })

  test('that the body names at its end become trailers, also below the cut, also of a merge', () => {
    for (const method of ['squash', 'merge'] as const) {
      for (const body of [`Text.\n\n${cay}`, `Text.\n<!-- cut -->\nnotes\n\n${cay}\n`]) {
        expect(message({ method, body }).split('\n\n').slice(1)).toEqual([
          'Text.',
          `${cay}\nSwitchyard-Run: queue:shop@main\n`,
        ])
      }
    }
  })

  test('of a merge are in its commits already', () => {
    expect(named(message({ method: 'merge', ...by(ann, bob) }))).toEqual([])
  })

  test('are not those who merged the base into the head', () => {
    expect(named(message({ commits: [commit(ann), commit(bob, 'Merge main', ['a', 'b'])] }))).toEqual([])
  })

  test('a squash of nothing has none', () => {
    expect(named(message(by()))).toEqual([])
  })

  test('the author of a squash wrote its first commit that merges nothing', () => {
    expect(squashAuthor([commit(bob, 'Merge main', ['a', 'b']), commit(ann)])).toEqual(ann)
    expect(squashAuthor([commit(bob, 'Merge main', ['a', 'b'])])).toEqual(bob)
    expect(squashAuthor([])).toBeNull()
  })
})

test('a secret in the title or body is masked in the message that lands', () => {
  const key = ['AKIA', 'Q7ZTR4XW', 'P3MB6NDK'].join('')
  const text = message({ title: `Use ${key}`, body: `It is ${key}.` })
  expect(text).not.toContain(key)
})

test('a secret that is parted by a character that is not shown is masked in the message that lands', () => {
  const parted = ['AKIA', 'Q7ZT\u200bR4XW', 'P3MB6NDK'].join('')
  const text = message({ title: `Use ${parted}`, body: `It is ${parted}.` })
  expect(text).not.toContain(parted.replace('\u200b', ''))
})
