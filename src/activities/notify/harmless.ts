import { createHash } from 'node:crypto'
import { oneLine, plainText } from '#domain/text'
import { limits } from '#domain/clarification/question'
import type { Notification } from './port.ts'

/**
 * The same without what would act where it is shown: titles, names and answers come from whoever asks. Nothing here may
 * be escaped for a vendor; each does that for itself.
 */
export function harmless(notification: Notification): Notification {
  const { id, to, title, context, options, default: standard, command, webUrl } = notification
  return {
    ...notification,
    id: writable(id),
    to: oneLine(to, limits.title),
    title: oneLine(title, limits.title),
    context: plainText(context, { multiline: true }),
    options: options.map(({ value, label }) => ({ value: plainText(value), label: plainText(label) })),
    default: standard === null ? null : plainText(standard),
    command: plainText(command),
    webUrl: webUrl === null || !/^https?:\/\//i.test(webUrl) || !URL.canParse(webUrl) ? null : new URL(webUrl).href,
  }
}

/** A header, a signature and an environment variable take it. One full stop in it would make a signature ambiguous. */
function writable(id: string): string {
  if (/^[!-\-/-~](?:[ -\-/-~]{0,253}[!-\-/-~])?$/.test(id)) return id
  return createHash('sha256').update(id).digest('hex').slice(0, 32)
}

const said: Record<Notification['event'], (to: string) => string> = {
  asked: (to) => `${to}, you are asked`,
  reminder: (to) => `${to}, this waits for you`,
  escalation: (to) => `${to}, nobody has answered this`,
  parked: (to) => `${to}, this was put aside unanswered`,
}

/** Why somebody hears of it, without its title. */
export function occasion({ event, to, urgent }: Notification): string {
  return `${urgent ? 'Urgent: ' : ''}${said[event](to)}`
}

/** What can be answered, and until when; empty where there is nothing to say. */
export function choices({ options, default: standard, expiresAt }: Notification): string {
  const values = options.map(({ value, label }) => (label === '' || label === value ? value : `${value} (${label})`))
  const parts = [
    values.length > 0 ? `Answers: ${values.join(', ')}` : '',
    standard === null ? '' : `without one: ${standard}`,
    expiresAt === null ? '' : `until ${expiresAt}`,
  ]
  return parts.filter(Boolean).join('; ')
}
