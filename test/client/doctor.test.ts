import { run } from '#client/commands/doctor'
import { git, node, temporalCli, type ProbeResult } from '#client/doctor/machine'
import { keysOfPeople } from '#client/doctor/people'
import type { CommandContext } from '#client/context'
import { createOutput } from '#client/output'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { named } from './fakes.ts'

const ok: ProbeResult = { outcome: 'ok', detail: 'fine', hint: null }
const warn: ProbeResult = { outcome: 'warn', detail: 'not running', hint: 'switchyard up' }
const fail: ProbeResult = { outcome: 'fail', detail: 'not found', hint: 'install it' }

async function doctor(results: (ProbeResult | ProbeResult[] | Error)[], json = false) {
  const stdout = new PassThrough()
  const output = createOutput({ stdout, stderr: stdout }, { json, color: false, isTerminal: false })
  const probes = results.map((result, index) => ({
    check: `check ${index}`,
    look: async () => {
      if (result instanceof Error) throw result
      return result
    },
  }))
  const code = await run({ output } as CommandContext, {}, probes)
  return { code, text: String(stdout.read()) }
}

describe('doctor', () => {
  test.each<[string, (ProbeResult | ProbeResult[] | Error)[], number]>([
    ['all is well', [ok, [ok, ok]], 0],
    ['something is not running yet', [ok, warn], 0],
    ['something is missing', [ok, fail], 1],
    ['a configuration file is wrong', [fail, { ...fail, configuration: true }], 2],
    ['a probe throws', [new Error('broken')], 1],
    ['a probe meets a configuration that does not parse', [named('ConfigError', 'switchyard.yaml:1:1: no')], 2],
  ])('%s → exit code', async (_, results, code) => {
    expect((await doctor(results)).code).toBe(code)
  })

  test('gives a hint with what is not well', async () => {
    expect((await doctor([ok, fail])).text).toBe('✓ check 0  fine\n✗ check 1  not found\n    install it\n')
  })

  test('prints one document with --json', async () => {
    expect(JSON.parse((await doctor([ok, fail], true)).text)).toEqual({
      ok: false,
      checks: [
        { check: 'check 0', ...ok },
        { check: 'check 1', ...fail },
      ],
    })
  })

  test.each([
    ['git version 2.39.5', 'ok'],
    ['git version 3.0.0', 'ok'],
    ['git version 2.37.9', 'fail'],
    [null, 'fail'],
  ])('git %s is %s', (version, outcome) => {
    expect(git(version).outcome).toBe(outcome)
  })

  test('a Temporal CLI that is still to be made, as on a new machine, is no failure', async () => {
    const nothing = { PATH: '', SWITCHYARD_CACHE: '/nowhere' }
    expect(await temporalCli(nothing)).toMatchObject({
      outcome: 'warn',
      hint: expect.stringContaining('switchyard up'),
    })
    expect(await temporalCli({ ...nothing, TEMPORAL_ADDRESS: 'cluster:7233' })).toMatchObject({ outcome: 'ok' })
  })

  const hook = (secret: string | null) => ({ via: 'webhook' as const, url: 'https://example.org/hook', secret })
  const person = (name: string, secret: string | null) => ({
    ...{ name, login: null, email: null, groups: [], hours: null },
    notify: [{ via: 'terminal' as const }, hook(secret)],
  })

  test('names the person and the variable where the key of a webhook is not set', () => {
    const people = [person('ann', 'HOOK_KEY'), person('bob', 'BOB_KEY'), person('cem', 'CEM_KEY'), person('dan', null)]
    const env = { BOB_KEY: 'a key', CEM_KEY: '' }
    const results = [keysOfPeople(people, env)].flat()
    expect(results.map(({ outcome }) => outcome)).toEqual(['warn', 'warn'])
    expect(results.map(({ detail }) => /^(\w+): .*\b([A-Z]+_KEY)\b/.exec(detail)?.slice(1))).toEqual([
      ['ann', 'HOOK_KEY'],
      ['cem', 'CEM_KEY'],
    ])
    expect(results[0]!.hint).toMatch(/^Set HOOK_KEY where the worker/)
    expect(JSON.stringify(results)).not.toContain('example.org')
  })

  test('is content with the keys of webhooks that are there', () => {
    const results = keysOfPeople([person('ann', 'HOOK_KEY'), person('dan', null)], { HOOK_KEY: 'a key' })
    expect(results).toEqual({ outcome: 'ok', detail: '2 known, 1 signed webhook', hint: null })
  })

  test('a Node that is too old fails', () => {
    expect(node('20.1.0').outcome).toBe('fail')
  })
})
