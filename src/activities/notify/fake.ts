import { harmless } from './harmless.ts'
import { NotifyError, type Notification, type Notifier, type NotifyTarget } from './port.ts'

/** How an attempt ends: taken; taken, but nobody hears of it; not now; never; not before somebody gives it up. */
export type FakeEnding = 'taken' | 'lost' | 'busy' | 'refused' | 'silent'

export type FakeNotifier = Notifier & {
  /** Each as often as it was taken, in order. */
  readonly taken: { target: NotifyTarget; notification: Notification }[]
  /** How the next attempts end, one each; later ones are taken. */
  next(...endings: FakeEnding[]): void
}

export function createFakeNotifier(): FakeNotifier {
  const taken: FakeNotifier['taken'] = []
  const endings: FakeEnding[] = []
  return {
    taken,
    next: (...more) => void endings.push(...more),
    async send(target, notification, signal) {
      signal.throwIfAborted()
      const ending = endings.shift() ?? 'taken'
      if (ending === 'taken' || ending === 'lost') taken.push({ target, notification: harmless(notification) })
      switch (ending) {
        case 'taken':
          return
        case 'lost':
          throw new NotifyError('the fake took it, and nobody heard of it', true)
        case 'busy':
          throw new NotifyError('the fake takes nothing now', true)
        case 'refused':
          throw new NotifyError('the fake refuses it', false)
        case 'silent':
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
          })
      }
    },
  }
}
