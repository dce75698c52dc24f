import { createHmac } from 'node:crypto'
import { post, type Fetch } from './http.ts'
import { NotifyError, type Notification } from './port.ts'

/**
 * The notification as JSON, signed as https://www.standardwebhooks.com says. Its id is kept over attempts; the time is
 * that of the attempt.
 */
export async function tellWebhook(
  tools: { fetch: Fetch; timeout: number; env: Record<string, string | undefined> },
  { url, secret }: { url: string; secret: string | null },
  notification: Notification,
  signal: AbortSignal,
): Promise<void> {
  const { fetch, timeout, env } = tools
  const body = JSON.stringify(notification)
  const key = secret === null ? null : keyOf(secret, env[secret])
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const headers = {
    'webhook-id': notification.id,
    'webhook-timestamp': timestamp,
    ...(key === null ? {} : { 'webhook-signature': signature(key, notification.id, timestamp, body) }),
  }
  await post({ fetch, timeout, who: 'the webhook', url, headers, body, signal })
}

/** `whsec_` and base64, as the specification writes a key; any other text is the key itself. */
export function keyOf(name: string, value: string | undefined): Buffer {
  if (value === undefined || value === '') {
    throw new NotifyError(`the worker has no environment variable ${name}, which is to sign what a webhook gets`, false)
  }
  if (!value.startsWith('whsec_')) return Buffer.from(value)
  const encoded = value.slice('whsec_'.length)
  if (!/^[A-Za-z\d+/]{4,}={0,2}$/.test(encoded)) {
    throw new NotifyError(`the environment variable ${name} starts with whsec_, but what follows is not base64`, false)
  }
  return Buffer.from(encoded, 'base64')
}

/** `timestamp`: seconds since 1970. */
export function signature(key: Buffer, id: string, timestamp: string, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
