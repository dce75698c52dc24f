import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it, test } from 'vitest'
import { parseInstallation } from '#config/installation-file'
import type { Contact } from '#config/installation'
import { publishedSchemas } from '#config/json-schema'
import { parse } from 'yaml'

const slack = 'https://hooks.slack.com/services/T00/B00/c2VjcmV0c2VjcmV0'

function annWith(text: string): string {
  return `people:\n  - name: ann\n    ${text}\n`
}

function ann(text: string): Pick<Contact, 'notify' | 'hours'> {
  const parsed = parseInstallation(annWith(text), 's.yaml', '/home/me/switchyard')
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'))
  const [{ notify, hours }] = parsed.config.people as [Contact]
  return { notify, hours }
}

function problemsOf(text: string): string[] {
  const parsed = parseInstallation(annWith(text), 's.yaml', '/home/me/switchyard')
  return parsed.ok
    ? []
    : parsed.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
}

describe('how a person hears of questions', () => {
  test.each<[string, Contact['notify']]>([
    ['notify: terminal', [{ via: 'terminal' }]],
    [`notify: { slack: '${slack}' }`, [{ via: 'slack', url: slack }]],
    ['notify: [{ webhook: http://host:80/x }]', [{ via: 'webhook', url: 'http://host:80/x', secret: null }]],
    [
      'notify: [{ webhook: https://host/x, secret: KEY_1 }, terminal]',
      [{ via: 'webhook', url: 'https://host/x', secret: 'KEY_1' }, { via: 'terminal' }],
    ],
    ['notify: { command: ./tell.sh }', [{ via: 'command', run: '/home/me/switchyard/tell.sh' }]],
    ['notify: { command: /opt/tell }', [{ via: 'command', run: '/opt/tell' }]],
    ['notify: { command: tell }', [{ via: 'command', run: 'tell' }]],
    ['notify: []', []],
    ['email: ann@example.org', []],
  ])('%s', (text, expected) => {
    expect(ann(text).notify).toEqual(expected)
  })

  const none =
    'is none of terminal, { slack: https://… }, { webhook: https://…, secret: NAME_OF_VARIABLE }, { command: ./tell.sh }'
  test.each<[string, string]>([
    ['notify: mail', `3:13 people.0.notify: 'people.0.notify' ${none}`],
    ['notify: [terminal, mail]', `3:24 people.0.notify.1: 'people.0.notify.1' ${none}`],
    ['notify: 7', `3:13 people.0.notify: 'people.0.notify' ${none}`],
    [
      'notify: {}',
      "3:13 people.0.notify: 'people.0.notify' must have exactly one of `slack`, `webhook` and `command`, found a map",
    ],
    [
      'notify: { slack: https://host/x, command: tell }',
      "3:13 people.0.notify: 'people.0.notify' must have exactly one of `slack`, `webhook` and `command`, found a map",
    ],
    [
      'notify: { slack: https://host/x, secret: KEY }',
      "3:46 people.0.notify.secret: 'people.0.notify.secret' is for a `webhook` only",
    ],
    ['notify: { slak: https://host/x }', "3:15 people.0.notify.slak: unknown key 'people.0.notify.slak'"],
    [
      'notify: { command: rm -rf }',
      "3:24 people.0.notify.command: 'people.0.notify.command' is no program without arguments, such as ./tell-ann.sh or /usr/local/bin/page",
    ],
  ])('is refused with its place: %s', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem])
  })

  test.each([
    'ftp://host/x',
    'file:///etc/passwd',
    'host/x',
    'https://',
    'https://ann:word@host/x',
    "'https://host/a b'",
    '7',
  ])('is refused at an address that nobody could send to: %s', (url) => {
    expect(problemsOf(`notify: { slack: ${url} }`)).toEqual([
      "3:22 people.0.notify.slack: 'people.0.notify.slack' is no address such as https://hooks.slack.com/services/…",
    ])
  })

  test.each([
    `notify: '${slack}'`,
    `notify: ['${slack}']`,
    `notify: { slack: 'xhttps://host/${slack.slice(-16)}' }`,
    `notify: { webhook: https://host/x, secret: '${slack.slice(-16)}==' }`,
  ])('is refused without a secret that may have been written there: %s', (text) => {
    const told = problemsOf(text).join('\n')
    expect([told.length > 0, told.includes(slack.slice(-16)), told.includes('T00')]).toEqual([true, false, false])
  })
})

describe('the hours of a person', () => {
  test.each<[string, Contact['hours']]>([
    ['{ from: 09:00, to: 17:30, zone: UTC }', { days: [1, 2, 3, 4, 5], from: 540, to: 1050, zone: 'UTC' }],
    [
      '{ days: [sat, Mon-Wed], from: 22:00, to: 06:00, zone: Europe/Berlin }',
      { days: [1, 2, 3, 6], from: 1320, to: 360, zone: 'Europe/Berlin' },
    ],
    ['{ days: [sun], from: 00:00, to: 24:00, zone: UTC }', { days: [0], from: 0, to: 1440, zone: 'UTC' }],
  ])('%s', (text, expected) => {
    expect(ann(`hours: ${text}`).hours).toEqual(expected)
  })

  test.each<[string, string]>([
    [
      '{ from: 09:00, to: 17:00, zone: Europe/Atlantis }',
      `3:44 people.0.hours.zone: 'people.0.hours.zone' must be the name of a time zone such as Europe/Berlin, found the text "Europe/Atlantis"`,
    ],
    [
      '{ from: 09:00, to: 17:00 }',
      "3:12 people.0.hours.zone: 'people.0.hours.zone' is missing: it must be the name of a time zone such as Europe/Berlin",
    ],
    [
      '{ days: [mon, monday], from: 09:00, to: 17:00, zone: UTC }',
      `3:26 people.0.hours.days.1: 'people.0.hours.days.1' must be a day such as mon, or days such as mon-fri, found the text "monday"`,
    ],
    [
      '{ days: [], from: 09:00, to: 17:00, zone: UTC }',
      "3:20 people.0.hours.days: 'people.0.hours.days' must have at least one entry, found an empty list",
    ],
    [
      '{ from: 9:00, to: 17:00, zone: UTC }',
      `3:20 people.0.hours.from: 'people.0.hours.from' must be a time such as '09:00', found the text "9:00"`,
    ],
    [
      '{ from: 09:00, to: 24:30, zone: UTC }',
      `3:31 people.0.hours.to: 'people.0.hours.to' must be a time such as '17:00', found the text "24:30"`,
    ],
    [
      '{ from: 09:00, to: 09:00, zone: UTC }',
      '3:31 people.0.hours.to: \'people.0.hours.to\' must be another time than `from`, found the text "09:00"',
    ],
    [
      '{ from: 09:00, till: 10:00, to: 17:00, zone: UTC }',
      "3:27 people.0.hours.till: unknown key 'people.0.hours.till'",
    ],
  ])('are refused with their place: %s', (text, problem) => {
    expect(problemsOf(`hours: ${text}`)).toEqual([problem])
  })
})

it('an editor that knows the JSON Schema says the same of a good one and of bad ones', () => {
  const schema = JSON.parse(publishedSchemas()['installation.schema.json']!) as object
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
  const good = `notify: [{ webhook: https://host/x, secret: KEY }, terminal]\n    hours: { from: 09:00, to: 17:00, zone: UTC }`
  const bad = ['notify: mail', 'notify: { slack: ftp://host }', 'hours: { from: 9, to: 17, zone: UTC }']
  expect([good, ...bad].map((text) => validate(parse(annWith(text))))).toEqual([true, false, false, false])
})
