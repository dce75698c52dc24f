import { describe, expect, it } from 'vitest'
import { createNotifier } from '#activities/notify/notifier'
import type { Output } from '#activities/notify/terminal'
import { hostile, notification, notifierContract, type Fault } from './contract.ts'

/** A stream of ours, so that nothing of it is printed. */
function screen(): Output & { lines: string[]; fault: Fault | null } {
  const lines: string[] = []
  return {
    lines,
    fault: null,
    write(text, done) {
      if (this.fault === null) lines.push(text)
      if (this.fault !== 'silent') done(this.fault === null ? null : new Error('EPIPE'))
    },
  }
}

notifierContract('terminal', {
  faults: { busy: 'retryable' },
  patient: true,
  async open() {
    const stderr = screen()
    return {
      notifier: createNotifier({ env: {}, stderr }),
      target: { via: 'terminal' },
      // Nobody takes a log back: a line that is there twice is known by what it says.
      received: () => stderr.lines.map((text) => ({ id: text, raw: text, texts: [text] })),
      meet: async (fault) => void (stderr.fault = fault),
      secrets: [],
      close: async () => undefined,
    }
  },
})

async function said(what: Partial<typeof notification>): Promise<string> {
  const stderr = screen()
  await createNotifier({ env: {}, stderr }).send(
    { via: 'terminal' },
    { ...notification, ...what },
    new AbortController().signal,
  )
  return stderr.lines.join('')
}

describe('a terminal', () => {
  it('shows a line, and the command to answer', async () => {
    expect(await said({})).toBe(
      'switchyard: ann, you are asked: Deploy 1.2 on a Friday? | ' +
        'Answers: yes (Deploy it), no; without one: no; until 2026-03-23T12:00:00.000Z\n' +
        '  switchyard answer ask:0123456789abcdef yes\n',
    )
  })

  it('shows two lines, whatever is asked', async () => {
    expect((await said(hostile)).split('\n')).toHaveLength(3)
  })

  it.each([
    ['reminder', false, 'switchyard: ann, this waits for you: '],
    ['escalation', false, 'switchyard: ann, nobody has answered this: '],
    ['parked', true, 'switchyard: Urgent: ann, this was put aside unanswered: '],
  ] as const)('says why it is told: %s', async (event, urgent, beginning) => {
    expect((await said({ event, urgent })).startsWith(beginning)).toBe(true)
  })
})
