import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createNotifier } from '#activities/notify/notifier'
import { slackMessage } from '#activities/notify/slack'
import { hostile, notification, notifierContract } from './contract.ts'
import { openReceiver, textsOf, type Receiver } from './receiver.ts'

const path = '/services/T00/B00/c2VjcmV0c2VjcmV0'

type Message = {
  text: string
  blocks: { block_id?: string; text: { type: string; verbatim: boolean; text: string } }[]
}

notifierContract('Slack', {
  faults: { busy: 'retryable', limited: 'retryable', lost: 'retryable', down: 'retryable', refuses: 'final' },
  async open(limits) {
    const receiver = await openReceiver()
    return {
      notifier: createNotifier({ env: {}, limits }),
      target: { via: 'slack', url: receiver.url + path },
      received: () =>
        receiver.taken.map(({ body }) => {
          const message = JSON.parse(body) as Message
          return { id: message.blocks[0]!.block_id!, raw: body, texts: textsOf(message) }
        }),
      meet: receiver.meet,
      secrets: [path, 'c2VjcmV0c2VjcmV0', 'T00', receiver.url],
      close: receiver.close,
    }
  },
})

describe('a message to Slack', () => {
  const all = (message: { text: string; blocks: object[] }) => textsOf(message).join('\n')

  it('is complete as text alone, and as blocks', () => {
    const { text, blocks } = slackMessage(notification) as Message
    const heading = '*ann, you are asked:* Deploy 1.2 on a Friday?'
    const answers = 'Answers: yes (Deploy it), no; without one: no; until 2026-03-23T12:00:00.000Z'
    const command = '`switchyard answer ask:0123456789abcdef yes`'
    expect(text).toBe(`${heading}\n${notification.context}\n${answers}\n${command}`)
    expect(blocks.map((block) => block.text.text)).toEqual([
      heading,
      notification.context,
      `${answers}\n${command}`,
      '<http://localhost:8233/ask|Show it>',
    ])
  })

  it('has no markup, no mention and no link but its own', () => {
    const said = all(slackMessage({ ...hostile, webUrl: null, command: 'switchyard answer' }))
    expect([/</.exec(said), />/.exec(said), /&(?!amp;|lt;|gt;)/.exec(said)]).toEqual([null, null, null])
    expect([said.includes('&lt;!channel&gt;'), /\]\(/.exec(said)]).toEqual([true, null])
    expect(slackMessage({ ...notification, title: '@all @channel' }).text).toContain('@\u200ball @\u200bchannel')
  })

  it('lets nobody out of the command', () => {
    const { text } = slackMessage({ ...notification, command: "x '`<!here>`'" })
    expect(text.split('\n').at(-1)).toBe("`x ''&lt;!here&gt;''`")
  })

  it('says which link is the right one, even where the address has a bar in it', () => {
    const { blocks } = slackMessage({ ...notification, webUrl: 'http://host/a|b' }) as Message
    expect(blocks.at(-1)!.text.text).toBe('<http://host/a%7Cb|Show it>')
  })

  it('is no longer than Slack takes, and no entity is cut', () => {
    const { blocks } = slackMessage({ ...notification, context: '&'.repeat(4_096) }) as Message
    const lengths = blocks.map((block) => block.text.text.length)
    expect([Math.max(...lengths) <= 3_000, blocks[1]!.text.text]).toEqual([
      true,
      expect.stringMatching(/^(?:&amp;)+…$/),
    ])
  })

  it('has no empty part', () => {
    const bare = { ...notification, context: '', options: [], default: null, expiresAt: null, webUrl: null }
    expect((slackMessage(bare) as Message).blocks).toHaveLength(2)
  })
})

describe('what a server answers', () => {
  let receiver: Receiver
  beforeEach(async () => void (receiver = await openReceiver()))
  afterEach(() => receiver.close())
  const send = () =>
    createNotifier({ env: {} }).send(
      { via: 'slack', url: receiver.url + path },
      notification,
      new AbortController().signal,
    )

  it('is not followed to another place', async () => {
    const other = await openReceiver()
    receiver.answer((response) => void response.writeHead(307, { location: other.url }).end())
    await expect(send()).rejects.toMatchObject({ message: expect.stringContaining('307') as string, retryable: false })
    expect(other.asked).toBe(0)
    await other.close()
  })

  it.each([200, 500])('is not read to an end that never comes, with status %i', async (status) => {
    let written = 0
    const closed = Promise.withResolvers<void>()
    receiver.answer((response) => {
      response.writeHead(status)
      const more = () => {
        if (response.destroyed) return
        written += 65_536
        if (response.write('x'.repeat(65_536))) setImmediate(more)
        else response.once('drain', more)
      }
      response.on('close', closed.resolve)
      more()
    })
    await send().catch(() => undefined)
    await closed.promise
    expect(written).toBeLessThan(50_000_000)
  })

  it.each([
    [400, false],
    [403, false],
    [410, false],
    [408, true],
    [502, true],
  ])('with status %i is worth another try: %s', async (status, retryable) => {
    receiver.answer((response) => void response.writeHead(status).end('c2VjcmV0c2VjcmV0'))
    await expect(send()).rejects.toMatchObject({ message: `the Slack webhook answered ${status}`, retryable })
  })
})
