import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createNotifier } from '#activities/notify/notifier'
import { useHelper } from '#activities/process/helper'
import { notification, notifierContract, type Fault } from './contract.ts'
import { textsOf } from './receiver.ts'

/** What the program does when it meets something. */
const endings: Partial<Record<Fault, string>> = {
  busy: 'echo c2VjcmV0c2VjcmV0 >&2; exit 1',
  silent: 'sleep 600',
}

notifierContract('command', {
  faults: { busy: 'retryable', lost: 'retryable', refuses: 'final' },
  async open(limits) {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-notify-'))
    const run = join(folder, 'tell.sh')
    const journal = join(folder, 'journal')
    const script = (ending: string) => writeFileSync(run, `#!/bin/sh\n${ending}\n`, { mode: 0o755 })
    // One write of one line each, so that those of many at once don't mix.
    const taking = `line="$SWITCHYARD_NOTIFICATION_ID $(cat)"; printf '%s\\n' "$line" >> '${journal}'`
    script(taking)
    return {
      notifier: createNotifier({ env: { PATH: process.env.PATH }, limits }),
      target: { via: 'command', run },
      received: () =>
        (existsSync(journal) ? readFileSync(journal, 'utf8') : '')
          .split('\n')
          .filter(Boolean)
          .map((line) => {
            const [id, ...rest] = line.split(' ')
            const raw = rest.join(' ')
            return { id: id!, raw, texts: textsOf(JSON.parse(raw)) }
          }),
      async meet(fault) {
        if (fault === 'refuses') rmSync(run)
        else script(fault === null ? taking : fault === 'lost' ? `${taking}\nexit 1` : endings[fault]!)
      },
      secrets: ['c2VjcmV0c2VjcmV0', folder],
      close: async () => rmSync(folder, { recursive: true }),
    }
  },
})

describe('a command', () => {
  let folder: string
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'switchyard-notify-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  function send(
    script: string,
    env: Record<string, string> = {},
    signal = new AbortController().signal,
  ): Promise<void> {
    const run = join(folder, 'tell.sh')
    writeFileSync(run, `#!/bin/sh\ncd '${folder}' || exit 9\n${script}\n`, { mode: 0o755 })
    const notifier = createNotifier({ env: { PATH: process.env.PATH, ...env } })
    return notifier.send({ via: 'command', run }, notification, signal)
  }

  const written = (name: string) => readFileSync(join(folder, name), 'utf8')

  it('gets the notification as it is on its standard input', async () => {
    await send('cat > input')
    expect(JSON.parse(written('input'))).toEqual(notification)
  })

  it('has done what it should when it ends well, whether or not it read its input', async () => {
    await expect(send('exit 0')).resolves.toBeUndefined()
  })

  it('sees the id and its surroundings, and no key of the worker', async () => {
    await send('env > environment; echo "$@" > arguments', { HOME: '/home/ann', HOOK_KEY: 'c2VjcmV0', LANG: 'C.UTF-8' })
    const names = written('environment')
      .split('\n')
      .map((line) => line.split('=')[0]!)
    // The shell's own.
    const own = ['', 'PWD', 'OLDPWD', 'SHLVL', '_']
    expect(names.filter((name) => !own.includes(name)).sort()).toEqual([
      ...['HOME', 'LANG', 'PATH', 'SWITCHYARD_NOTIFICATION_ID'],
    ])
    expect([written('environment').includes('d3adb33f'), written('arguments')]).toEqual([true, '\n'])
  })

  it('may be named as PATH knows it', async () => {
    const notifier = createNotifier({ env: { PATH: process.env.PATH } })
    const tell = (run: string) => notifier.send({ via: 'command', run }, notification, new AbortController().signal)
    await expect(tell('true')).resolves.toBeUndefined()
    await expect(tell('no-such-program')).rejects.toMatchObject({
      message: 'the command no-such-program could not be started (ENOENT)',
    })
  })

  it.each([
    ['this process', false],
    ['the one that starts others', true],
  ])(
    'started by %s leaves none behind when it is given up, whatever it started and however deaf it is',
    async (_, helped) => {
      const helper = helped ? useHelper() : null
      const stop = new AbortController()
      const sent = send(
        "trap '' TERM; sleep 600 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait; sleep 600",
        {},
        stop.signal,
      )
      const given = expect(sent).rejects.toBe('enough')
      await vi.waitFor(() => expect(existsSync(join(folder, 'pids'))).toBe(true), 10_000)
      stop.abort('enough')
      await given
      expect(written('pids').trim().split(' ').filter(isRunning)).toEqual([])
      helper?.stop()
    },
  )
})

function isRunning(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]![0] !== 'Z'
  } catch {
    return false
  }
}
