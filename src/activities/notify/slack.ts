import { choices, occasion } from './harmless.ts'
import { post, type Fetch } from './http.ts'
import type { Notification } from './port.ts'

/** Characters of a section; Slack refuses more. */
const MAX_SECTION = 3_000

/** An incoming webhook of Slack, or of what takes the same (Mattermost shows `text` only). Its address is a secret. */
export async function tellSlack(
  tools: { fetch: Fetch; timeout: number },
  { url }: { url: string },
  notification: Notification,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify(slackMessage(notification))
  await post({ ...tools, who: 'the Slack webhook', url, body, signal })
}

/** https://docs.slack.dev/messaging/formatting-message-text: `&`, `<` and `>` are what its markup is made of. */
export function slackMessage(notification: Notification): { text: string; blocks: object[] } {
  const { id, title, context, command, webUrl } = notification
  const heading = `*${inert(occasion(notification), MAX_SECTION / 2)}:* ${inert(title, MAX_SECTION / 2)}`
  const answer = [inert(choices(notification), MAX_SECTION / 2 - 1), code(command)].filter(Boolean).join('\n')
  const sections = [heading, inert(context, MAX_SECTION), answer].filter(Boolean)
  const link = webUrl === null ? [] : [`<${escaped(webUrl.replaceAll('|', '%7C'), MAX_SECTION / 2)}|Show it>`]
  return {
    text: sections.join('\n'),
    blocks: [...sections, ...link].map((text, index) => ({
      type: 'section',
      // A webhook takes no delivery id; whoever reads the message back finds it here.
      ...(index === 0 ? { block_id: id } : {}),
      // Verbatim: no address and no name becomes a link or a mention by itself.
      text: { type: 'mrkdwn', verbatim: true, text },
    })),
  }
}

/** No mention, not in Mattermost's words either (`@all`), and no Markdown link or image. */
function inert(text: string, max: number): string {
  return escaped(text.replaceAll('@', '@\u200b').replaceAll('](', ']\u200b('), max)
}

/** To be copied: without joints. */
function code(command: string): string {
  return `\`${escaped(command.replaceAll('`', "'"), MAX_SECTION / 2 - 2)}\``
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** At most `max` characters, no entity cut. */
function escaped(text: string, max: number): string {
  let result = ''
  for (const character of text) {
    const next = entities[character] ?? character
    if (result.length + next.length >= max) return `${result}…`
    result += next
  }
  return result
}
