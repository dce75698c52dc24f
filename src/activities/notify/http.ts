import { NotifyError } from './port.ts'

export type Fetch = typeof globalThis.fetch

export type Post = {
  fetch: Fetch
  /** Milliseconds until the answer. */
  timeout: number
  /** Who is written to, in messages. */
  who: string
  url: string
  headers?: Record<string, string>
  body: string
  signal: AbortSignal
}

/**
 * Resolves when the other side answered that it took it; of the answer only the status is read. Rejects with
 * `signal.reason`, or with a `NotifyError` without a cause: what `fetch` says may hold the address, which is a secret.
 */
export async function post({ fetch, timeout, who, url, headers, body, signal }: Post): Promise<void> {
  const late = AbortSignal.timeout(timeout)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'switchyard', ...headers },
    body,
    // Followed, the body would go to whomever the first one names.
    redirect: 'manual',
    signal: AbortSignal.any([signal, late]),
  }).catch((error: unknown) => {
    signal.throwIfAborted()
    const why = late.aborted ? `did not answer within ${timeout / 1_000} s` : `can't be reached (${codeOf(error)})`
    throw new NotifyError(`${who} ${why}`, true)
  })
  void response.body?.cancel().catch(() => undefined)
  if (response.ok) return
  const { status } = response
  const redirected = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  throw new NotifyError(`${who} answered ${status}${redirected}`, isPassing(status))
}

function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

/** A code only, such as ECONNREFUSED. */
function codeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[A-Z_\d]+$/.test(code) ? code : 'no connection'
}
