import { createProgram } from '#client/cli'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { switchyard, world } from './fakes.ts'

function words(command: Command, before: string[] = []): string[][] {
  return command.commands.flatMap((child) => {
    const own = [...before, child.name()]
    return [own, ...words(child, own)]
  })
}

const every = words(createProgram({ stdout: process.stdout }, async () => {}))

describe('--help', () => {
  test.each(every.map((own) => [own.join(' '), own] as const))(
    'of %s has a description and an example',
    async (name, own) => {
      const ran = await switchyard([...own, '--help'], world())
      expect([ran.code, ran.stdout]).toEqual([
        0,
        expect.stringMatching(new RegExp(`\\nExamples:\\n.*switchyard ${name}`)),
      ])
    },
  )

  test('of the whole names every noun', async () => {
    const ran = await switchyard([], world())
    for (const [noun, verb] of every) if (verb === undefined) expect(ran.stdout).toContain(`  ${noun}`)
  })

  test.each([['pr', 'view'], ['why'], ['status'], ['repo', 'add']])(
    'of %s %s says what its argument may be',
    async (...own) => {
      const { stdout } = await switchyard([...own.filter((word) => word !== undefined), '--help'], world())
      expect(stdout).toMatch(/Arguments:\n {2}\w+ +\S/)
    },
  )

  test('names the exit codes', async () => {
    expect((await switchyard(['--help'], world())).stdout).toContain('3 no server or no worker')
  })

  test('names the flags that every command has', async () => {
    expect((await switchyard(['pr', 'list', '--help'], world())).stdout).toContain('--json')
  })
})
