import { PassThrough } from 'node:stream'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '#client/cli'
import type { Contact } from '#domain/contact'
import { connect } from '#installation/connect'
import type { Installation } from '#installation/installation'
import { defaultTimings } from '#contracts/timings'
import { prepareNamespace } from '#server/namespace'
import { testServer } from '../support/server.ts'
import { openWorld, type WorkflowWorld } from '../support/workflow-world.ts'
import { until } from '../workflows/until.ts'

const contact = { login: null, email: null, groups: ['reviewers'], notify: [], hours: null }
const people: Contact[] = ['ann', 'ben', 'cem'].map((name) => ({ ...contact, name }))

let world: WorkflowWorld
beforeAll(async () => {
  world = await openWorld(undefined, people)
})
afterAll(async () => await world?.close())

type Ran = { code: number; json: unknown; stdout: string; stderr: string }

/** Runs a command line on the real server, as `ann`. */
async function switchyard(args: string[], namespace = world.namespace): Promise<Ran> {
  const texts = { stdout: '', stderr: '' }
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() }
  for (const name of ['stdout', 'stderr'] as const) streams[name].on('data', (chunk) => (texts[name] += String(chunk)))
  const env = { TEMPORAL_ADDRESS: testServer().address, TEMPORAL_NAMESPACE: namespace }
  const paths = { file: null, home: '/nowhere' }
  const config = { repositories: [{ name: 'shop', remote: '/nowhere' }], people, timings: defaultTimings }
  const installation = { config, paths, ledger: world.ledger, close: async () => {} } as unknown as Installation
  const code = await runCli(args, {
    ...{ cwd: '/', env: { ...env, SWITCHYARD_USER: 'ann', PATH: process.env.PATH }, isTerminal: false },
    ...{ stdin: new PassThrough(), ...streams, now: () => new Date(), signal: new AbortController().signal },
    openInstallation: async () => installation,
    connect: async () => await connect(installation, { env }),
  })
  return {
    code,
    ...texts,
    json: texts.stdout.startsWith('{') || texts.stdout.startsWith('[') ? JSON.parse(texts.stdout) : null,
  }
}

type Row = { id: string; title: string; state: string; answered: object[] }

const rowsOf = async (title: string, ...flags: string[]): Promise<Row[]> => {
  const { json } = await switchyard(['inbox', '--json', ...flags])
  return (json as Row[]).filter((row) => row.title === title)
}

/** Visibility tells of it a moment later. */
async function row(title: string, ...flags: string[]): Promise<Row> {
  let found: Row | undefined
  await until(`${title} is listed`, async () => (found = (await rowsOf(title, ...flags))[0]) !== undefined)
  return found!
}

const yesNo = ['--options', 'yes,no']

describe.concurrent('on a real server', { timeout: 60_000 }, () => {
  test('a question is asked, listed, and answered by the beginning of its id', async () => {
    const ask = ['ask', 'Which way?', '--options', 'left,right', '--key', 'way', '--json']
    const { json } = await switchyard(ask)
    const { id } = json as Row
    expect(await row('Which way?')).toMatchObject({ id, state: 'open', from: { workflowId: null, webUrl: null } })
    const ran = await switchyard(['answer', id.slice(4, 14), 'left', '--comment', 'shorter', '--json'])
    expect([ran.code, ran.json]).toMatchObject([0, { id, state: 'answered', value: 'left', by: ['ann'], missing: 0 }])
    expect((await switchyard(ask)).json).toMatchObject({ id, state: 'answered', value: 'left', by: ['ann'] })
    await until('it is no longer open', async () => (await rowsOf('Which way?')).length === 0)
    expect(await row('Which way?', '--all')).toMatchObject({
      state: 'answered',
      answered: [{ by: 'ann', value: 'left' }],
    })
  })

  test('a script waits, and gets the answer', async () => {
    const waiting = switchyard(['ask', 'Go on?', ...yesNo, '--wait', '--json'])
    const { id } = await row('Go on?')
    await switchyard(['answer', id, 'yes', '--as', 'ben'])
    expect(await waiting).toMatchObject({ code: 0, json: { id, state: 'answered', value: 'yes', by: ['ben'] } })
  })

  test('two must agree: the first hears that one is missing, a third comes too late', async () => {
    const { json } = await switchyard(['ask', 'Agreed?', ...yesNo, '--needed', '2', '--who', 'reviewers', '--json'])
    const { id } = json as Row
    expect((await switchyard(['answer', id, 'yes'])).stdout).toContain('1 more must answer yes')
    expect((await switchyard(['answer', id, 'yes', '--json'])).json).toMatchObject({ state: 'open', missing: 1 })
    expect((await switchyard(['answer', id, 'no', '--json'])).stderr).toContain('already-answered')
    expect((await switchyard(['answer', id, 'yes', '--as', 'dora', '--json'])).stderr).toContain('not-allowed')
    expect((await switchyard(['answer', id, 'yes', '--as', 'ben'])).stdout).toContain('That settles it.')
    const late = await switchyard(['answer', id, 'yes', '--as', 'cem'])
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('ann, ben answered "yes"')])
    expect((await switchyard(['answer', id, 'yes'])).code).toBe(0)
  })

  test.each([
    ['default', 0, { state: 'defaulted', value: 'no' }],
    ['fail', 1, { state: 'expired', value: null }],
    ['park', 4, { state: 'parked', value: null }],
  ])('nobody answers in time: %s', async (end, code, document) => {
    const ends = ['--default', 'no', '--expires', '1s', '--at-expiry', end]
    expect(await switchyard(['ask', `${end}?`, ...yesNo, ...ends, '--wait', '--json'])).toMatchObject({
      code,
      json: document,
    })
  })

  test('a parked one may be answered after all', async () => {
    const { json } = await switchyard(['ask', 'After all?', ...yesNo, '--expires', '1s', '--wait', '--json'])
    const { id } = json as Row
    await until('it is parked', async () => (await row('After all?')).state === 'parked')
    expect((await switchyard(['answer', id, 'no', '--json'])).json).toMatchObject({ state: 'answered', value: 'no' })
  })

  test('somebody says something, another one may answer too, and why says who', async () => {
    const { json } = await switchyard(['ask', 'Whose turn?', '--who', 'ann', '--json'])
    const { id } = json as Row
    expect((await switchyard(['answer', id, '--remark', 'Not mine.'])).code).toBe(0)
    expect((await switchyard(['answer', id, '--delegate', 'ben'])).code).toBe(0)
    const { stdout } = await switchyard(['view', id])
    for (const part of ['Not mine.', 'lets ben answer, too']) expect(stdout).toContain(part)
    await until('ben is asked', async () => {
      const why = (await switchyard(['why', id, '--json'])).json as { waiting: { who: string[] } }
      return why.waiting.who.join() === 'ann,ben'
    })
  })

  test('a context that is too long for lists is shown whole', async () => {
    const context = `${'A line of it.\n'.repeat(1_000)}The end of it.`
    const { json } = await switchyard(['ask', 'Is this right?', '--context', context, '--json'])
    expect((await switchyard(['view', (json as Row).id])).stdout).toContain('The end of it.')
  })

  test('what anybody answered is no answer where others are to agree', async () => {
    const ask = ['ask', 'To production?', ...yesNo, '--remember', 'installation', '--json']
    const { id } = (await switchyard(ask)).json as Row
    await switchyard(['answer', id, 'yes', '--as', 'mallory'])
    const isKnown = async () => (await switchyard(['answers', 'list', '--json'])).stdout.includes('To production?')
    await until('it is remembered', isKnown)
    const among = [...ask, '--who', 'reviewers', '--needed', '2', '--key', 'of reviewers']
    expect((await switchyard(among)).json).toMatchObject({ state: 'open' })
  })

  test('an answer is used again for the same question', async () => {
    const ask = ['ask', 'Which port?', '--remember', 'installation', '--json']
    const { id } = (await switchyard(ask)).json as Row
    await switchyard(['answer', id, '8080'])
    await until('it is remembered', async () =>
      (await switchyard(['answers', 'list', '--json'])).stdout.includes('Which port?'),
    )
    expect((await switchyard(ask)).json).toMatchObject({ id, state: 'answered', value: '8080', by: ['ann'] })
    const known = (await switchyard(['answers', 'list', '--json'])).json as Row[]
    const { id: port } = known.find(({ title }) => title === 'Which port?')!
    expect((await switchyard(['answers', 'forget', port])).code).toBe(0)
    expect((await switchyard(ask)).json).toMatchObject({ state: 'open' })
  })

  test('without a worker it is asked and listed, and not answered', async () => {
    const { address } = testServer()
    const namespace = `${world.namespace}-still`
    const connection = await Connection.connect({ address })
    await prepareNamespace(connection, { address, namespace, enforceRetention: false })
    const { json } = await switchyard(['ask', 'Anybody?', '--context', 'It is dark.', '--json'], namespace)
    const { id } = json as Row
    await until('it is listed', async () => {
      const rows = (await switchyard(['inbox', '--json'], namespace)).json as Row[]
      return rows.some((one) => one.id === id)
    })
    const answering = await switchyard(['answer', id, 'yes', '--json'], namespace)
    expect([answering.code, answering.stderr]).toEqual([3, expect.stringContaining('no-worker')])
    await new Client({ connection, namespace }).workflow.getHandle(id).terminate()
    await connection.close()
  })
})
