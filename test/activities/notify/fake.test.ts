import { createFakeNotifier, type FakeEnding } from '#activities/notify/fake'
import { notifierContract, type Fault } from './contract.ts'
import { textsOf } from './receiver.ts'

const endings: Partial<Record<Fault, FakeEnding>> = { busy: 'busy', lost: 'lost', refuses: 'refused', silent: 'silent' }

notifierContract('the fake', {
  faults: { busy: 'retryable', lost: 'retryable', refuses: 'final' },
  patient: true,
  async open() {
    const notifier = createFakeNotifier()
    return {
      notifier,
      target: { via: 'terminal' },
      received: () =>
        notifier.taken.map((each) => ({
          id: each.notification.id,
          raw: JSON.stringify(each.notification),
          texts: textsOf(each.notification),
        })),
      meet: async (fault) => notifier.next(...(fault === null ? [] : [endings[fault]!])),
      secrets: [],
      close: async () => undefined,
    }
  },
})
