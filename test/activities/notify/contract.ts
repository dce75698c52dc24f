import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NotifyError, type Notification, type Notifier, type NotifyTarget } from '#activities/notify/port'

/** What a receiver can do wrong: `lost` takes it, but nobody hears of it; `silent` never answers. */
export type Fault = 'busy' | 'limited' | 'lost' | 'down' | 'refuses' | 'silent'

export type Received = {
  /** By which a receiver knows a delivery again. */
  id: string
  raw: string
  /** Every text of it, as it would be shown. */
  texts: string[]
}

export type NotifyWorld = {
  notifier: Notifier
  target: NotifyTarget
  /** Oldest first. */
  received(): Received[]
  /** Every attempt meets it until there is another one, or null. */
  meet(fault: Fault | null): Promise<void>
  /** None of these may ever be told. */
  secrets: string[]
  close(): Promise<void>
}

/** Milliseconds that a notifier waits for an answer, and for a command. */
type Limits = { answer: number; command: number }

const limits: Limits = { answer: 60_000, command: 60_000 }

export const notification: Notification = {
  ...{ id: 'd3adb33f', event: 'asked', clarification: 'ask:0123456789abcdef', kind: 'question', to: 'ann' },
  ...{ title: 'Deploy 1.2 on a Friday?', context: 'It changes **three** tables.\n\nSee `db/`.', urgent: false },
  options: [
    { value: 'yes', label: 'Deploy it' },
    { value: 'no', label: 'no' },
  ],
  ...{ default: 'no', expiresAt: '2026-03-23T12:00:00.000Z', webUrl: 'http://localhost:8233/ask' },
  command: 'switchyard answer ask:0123456789abcdef yes',
}

const escapes = '\u001b[31m\u001b]8;;http://evil\u0007\u009b2J\r\u0000\u0007'
const nasty = `</p><script>alert(1)</script> <!channel> <!here|x> @all <@U1> [x](http://evil) ${escapes}\u202e\ud800`

export const hostile: Notification = {
  ...notification,
  ...{ to: `ann\n${nasty}`, title: `Deploy?\n\n${nasty}`, context: `# ${nasty}\n\`\`\`\n${nasty}`, default: nasty },
  options: [{ value: nasty, label: `Yes\n${nasty}` }],
  ...{ command: `switchyard answer x '${nasty}'`, webUrl: 'javascript:alert(1)' },
}

type Vendor = {
  open(limits: Limits): Promise<NotifyWorld>
  /** What it can meet besides silence, and whether another attempt makes sense. */
  faults: Partial<Record<Exclude<Fault, 'silent'>, 'retryable' | 'final'>>
  /** Silence has no end but being given up. */
  patient?: true
}

/** What everybody who tells people promises, whoever the vendor is. */
export function notifierContract(name: string, { open, faults, patient }: Vendor): void {
  describe(`telling by ${name}`, () => {
    let world: NotifyWorld
    const send = (what = notification, signal = new AbortController().signal) =>
      world.notifier.send(world.target, what, signal)
    beforeEach(async () => void (world = await open(limits)))
    afterEach(() => world.close())

    it('delivers once, with what is asked and how to answer', async () => {
      await send()
      expect(world.received()).toHaveLength(1)
      const said = world.received()[0]!.texts.join('\n')
      expect(['ann', notification.title, notification.command, 'yes'].filter((each) => !said.includes(each))).toEqual(
        [],
      )
    })

    it('delivers every one of many at once', async () => {
      const all = Array.from({ length: 8 }, (_, index) => ({
        ...notification,
        id: `d${index}`,
        title: `Number ${index}?`,
      }))
      await Promise.all(all.map((each) => send(each)))
      const texts = world.received().map((each) => each.texts.join('\n'))
      expect(all.map(({ title }) => texts.filter((text) => text.includes(title)).length)).toEqual(all.map(() => 1))
    })

    it.runIf('lost' in faults)('is known again where the answer was lost and it is tried once more', async () => {
      await world.meet('lost')
      await expect(send()).rejects.toMatchObject({ retryable: true })
      await world.meet(null)
      await send()
      const [first, second, ...more] = world.received().map(({ id }) => id)
      expect([first === second, more]).toEqual([true, []])
    })

    it('is known again under an id that no header takes', async () => {
      const named = { ...notification, id: 'ask:1/asked/Zoë N. 🙂\n\u0000/0' }
      await send(named)
      await send(named)
      const [first, second] = world.received().map(({ id }) => id)
      expect([first, second]).toEqual([second, expect.stringMatching(/./)])
    })

    it('does nothing that was given up before', async () => {
      await expect(send(notification, AbortSignal.abort('enough'))).rejects.toBe('enough')
      expect(world.received()).toEqual([])
    })

    it('ends at once when it is given up', async () => {
      await world.meet('silent')
      const stop = new AbortController()
      const sent = send(notification, stop.signal)
      const begin = performance.now()
      setTimeout(() => stop.abort('enough'), 50)
      await expect(sent).rejects.toBe('enough')
      expect(performance.now() - begin).toBeLessThan(5_000)
    })

    it('shows hostile text as text', async () => {
      await send(hostile)
      const [{ raw, texts }] = world.received() as [Received]
      // eslint-disable-next-line no-control-regex -- they are what is looked for
      const acting = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\\u00[01]|javascript:|\\ud800/
      expect([acting.exec(raw), texts.filter((text) => acting.test(text))]).toEqual([null, []])
    })

    async function expectError(failing: NotifyWorld, retryable: boolean): Promise<void> {
      const sent = failing.notifier.send(failing.target, notification, new AbortController().signal)
      const error: unknown = await sent.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(NotifyError)
      expect((error as NotifyError).retryable).toBe(retryable)
      const told = inspect(error, { depth: 10 })
      expect(failing.secrets.filter((secret) => told.includes(secret))).toEqual([])
    }

    it.each(Object.entries(faults) as [Fault, string][])(
      'tells no secret when it is met by: %s, which is %s',
      async (fault, kind) => {
        await world.meet(fault)
        await expectError(world, kind === 'retryable')
      },
    )

    it.skipIf(patient)('waits no longer than it may, and tells no secret then', async () => {
      const impatient = await open({ answer: 200, command: 200 })
      await impatient.meet('silent')
      await expectError(impatient, true)
      await impatient.close()
    })
  })
}
