import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createNotifier } from '#activities/notify/notifier'
import { keyOf, signature } from '#activities/notify/webhook'
import { notification, notifierContract } from './contract.ts'
import { openReceiver, textsOf, type Receiver } from './receiver.ts'

const key = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const path = '/hook?token=c2VjcmV0'

notifierContract('webhook', {
  faults: { busy: 'retryable', limited: 'retryable', lost: 'retryable', down: 'retryable', refuses: 'final' },
  async open(limits) {
    const receiver = await openReceiver()
    return {
      notifier: createNotifier({ env: { HOOK_KEY: `whsec_${key}` }, limits }),
      target: { via: 'webhook', url: receiver.url + path, secret: 'HOOK_KEY' },
      received: () =>
        receiver.taken.map(({ body, headers }) => ({
          id: headers['webhook-id'] as string,
          raw: body,
          texts: textsOf(JSON.parse(body)),
        })),
      meet: receiver.meet,
      secrets: [path, 'c2VjcmV0', key, receiver.url],
      close: receiver.close,
    }
  },
})

it('signs as the example of those who wrote the specification', () => {
  const signed = signature(
    keyOf('K', `whsec_${key}`),
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    '1614265330',
    '{"test": 2432232314}',
  )
  expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

describe('a webhook', () => {
  let receiver: Receiver
  beforeEach(async () => void (receiver = await openReceiver()))
  afterEach(() => receiver.close())

  function send(secret: string | null, env: Record<string, string>, id = notification.id): Promise<void> {
    const target = { via: 'webhook', url: receiver.url, secret } as const
    return createNotifier({ env }).send(target, { ...notification, id }, new AbortController().signal)
  }

  it('gets the notification as JSON, with an id, the time, and the signature of the three', async () => {
    await send('HOOK_KEY', { HOOK_KEY: 'a plain key' })
    const [{ method, headers, body }] = receiver.taken as [Receiver['taken'][number]]
    const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signed } = headers
    expect([method, headers['content-type'], id, JSON.parse(body)]).toEqual([
      'POST',
      'application/json',
      notification.id,
      notification,
    ])
    expect(Math.abs(Number(time) - Date.now() / 1_000)).toBeLessThan(30)
    const expected = createHmac('sha256', 'a plain key').update(`${id as string}.${time as string}.${body}`)
    expect(signed).toBe(`v1,${expected.digest('base64')}`)
  })

  it.each([
    ['ask:0123/asked/ann smith/0', 'ask:0123/asked/ann smith/0'],
    ['ask:0123/asked/ann@example.org/0', expect.stringMatching(/^[0-9a-f]{32}$/)],
    ['ask:0123/asked/Zoë/0', expect.stringMatching(/^[0-9a-f]{32}$/)],
    ['x'.repeat(256), expect.stringMatching(/^[0-9a-f]{32}$/)],
  ])('has the same id in its header, signature and body, whatever it was: %s', async (id, expected) => {
    await send('HOOK_KEY', { HOOK_KEY: 'a plain key' }, id)
    const [{ headers, body }] = receiver.taken as [Receiver['taken'][number]]
    const { 'webhook-id': sent, 'webhook-timestamp': time, 'webhook-signature': signed } = headers
    expect([sent, (JSON.parse(body) as { id: string }).id]).toEqual([expected, sent])
    expect(signed).toBe(signature(Buffer.from('a plain key'), sent as string, time as string, body))
  })

  it('gets no signature where no key is named', async () => {
    await send(null, {})
    expect(receiver.taken[0]!.headers).not.toHaveProperty('webhook-signature')
  })

  it.each([
    ['is not there', {}],
    ['is empty', { HOOK_KEY: '' }],
    ['is no base64', { HOOK_KEY: 'whsec_not!base64' }],
  ])('gets nothing unsigned where the key %s', async (_, env) => {
    const error: unknown = await send('HOOK_KEY', env).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'NotifyError', retryable: false })
    expect([String(error).includes('HOOK_KEY'), String(error).includes('not!base64')]).toEqual([true, false])
    expect(receiver.asked).toBe(0)
  })
})
