import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processesWith } from '../../support/cli.ts'
import {
  createInstallation,
  startSharedServer,
  type SharedServer,
  type TestInstallation,
} from '../../support/installation.ts'
import type { SampleRepository } from '../../support/repositories.ts'
import { testServer } from '../../support/server.ts'
import { untilAtRest } from '../../e2e/at-rest.ts'
import { openWorkflows } from '../../e2e/histories.ts'
import { violations } from '../../e2e/invariants.ts'
import { strays } from '../../e2e/leftovers.ts'
import { contents } from './contents.ts'

const megabyte = 1024 ** 2
/** What reading and scanning 40 MB may cost a worker beside what it has when it is idle. */
const mayGrow = 500 * megabyte

const policy = `version: 1
checks:
  tests: { run: sh check.sh, timeout: 60s }
  secrets:
    allow: [{ pattern: 'large.bin:unscanned', reason: 'noise', until: 2099-01-01 }]
  review: { maxFileSize: 50MB, reviewers: [{ name: reader, run: sh reviewer.sh }] }
`
const check = `${contents.map(({ name, holds }) => `[ ! -e ${name}.txt ] || { ${holds}; } || exit 1`).join('\n')}\n`
const reviewer = 'grep -c . > /dev/null; echo \'{"findings":[]}\'\n'

async function fill(sample: SampleRepository): Promise<void> {
  await sample.git('config', 'core.compression', '0')
  const files = {
    '.switchyard.yaml': policy,
    'check.sh': check,
    'reviewer.sh': reviewer,
    'lib/a.js': 'a\n',
    'tool.sh': '#!/bin/sh\n',
  }
  await sample.commit({ message: 'add tests', files })
  for (const { name, fill } of contents) {
    await sample.commit({ branch: name, message: 'begin', files: { [`${name}.txt`]: `${name}\n` } })
    await fill(sample)
    await sample.git('add', '--all')
    await sample.commit({ branch: name, message: `add ${name}`, files: {} })
    await sample.git('switch', '--quiet', '--force', 'main')
  }
}

describe('pull requests with', { timeout: 180_000 }, () => {
  let server: SharedServer
  let rig: TestInstallation
  const opened = new Map<string, { number: number; head: string }>()
  let idle: number

  beforeAll(async () => {
    server = await startSharedServer()
    rig = await createInstallation({
      ...{ server, fill, name: 'heavy', bundlePath: testServer().bundlePath, isolation: 'required' },
      repositories: contents.map(({ name }) => name),
    })
    await rig.startWorkers()
    idle = (await workers()).reduce((most, { resident }) => Math.max(most, resident), 0)
    for (const repository of rig.repositories) {
      opened.set(repository.name, await rig.openPullRequest(repository, repository.name))
    }
  }, 120_000)
  afterAll(async () => {
    await rig?.remove()
    await server?.remove()
  })

  async function workers(): Promise<{ resident: number; peak: number }[]> {
    const pids = await processesWith([], `SWITCHYARD_HOME=${rig.home}`)
    return Promise.all(
      pids.map(async (pid) => {
        const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
        const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
        return { resident: bytes('VmRSS'), peak: bytes('VmHWM') }
      }),
    )
  }

  async function switchyard(...args: string[]): Promise<string> {
    const main = fileURLToPath(new URL('../../../src/client/main.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { env: rig.env, cwd: rig.folder })
    return stdout
  }

  test.each(contents)('$name land whole', async ({ name }) => {
    const repository = rig.repositories.find((each) => each.name === name)!
    const { number, head } = opened.get(name)!
    const { client } = rig.connected
    await untilAtRest(rig, repository, [number], () => null).catch(async (error: unknown) => {
      const decisions = JSON.stringify(await rig.installation.ledger.decisions(name, number))
      throw new Error(`${String(error)}\n${(await openWorkflows(client, name)).join('\n')}\n${decisions}`)
    })
    const expected = [{ number, head, outcome: 'merged' as const }]
    const found = await violations({ installation: rig.installation, client, repository, expected, byHand: [] })
    const [decision] = (await rig.installation.ledger.decisions(name, number)).slice(-1)
    expect({ found, outcome: decision?.outcome }).toEqual({ found: [], outcome: 'approve' })
  })

  test('each other do not make a worker large', async () => {
    const peak = (await workers()).reduce((most, each) => Math.max(most, each.peak), 0)
    expect(Math.round((peak - idle) / megabyte)).toBeLessThan(mayGrow / megabyte)
  })

  test('odd names are shown as one JSON document', async () => {
    const { number } = opened.get('odd-names')!
    const view = JSON.parse(await switchyard('pr', 'view', String(number), '--repo', 'odd-names', '--json')) as object
    expect(view).toMatchObject({ state: 'merged', phase: 'landed' })
  })

  test('whatever content leave nothing behind', async () => {
    await rig.stopWorkers()
    expect(await strays({ state: rig.home, temp: rig.temp })).toEqual([])
  })
})
