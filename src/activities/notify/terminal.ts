import { choices, occasion } from './harmless.ts'
import { NotifyError, type Notification } from './port.ts'

export type Output = { write(text: string, done: (error?: Error | null) => void): unknown }

/** A line, and the command to answer, on the worker's standard error, which is its log. */
export async function tellTerminal(output: Output, notification: Notification, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  output.write(terminalLines(notification), (error) =>
    error ? reject(new NotifyError('the log of the worker took nothing', true, error)) : resolve(),
  )
  await promise.finally(() => signal.removeEventListener('abort', abort))
}

function terminalLines(notification: Notification): string {
  const what = [`${occasion(notification)}: ${notification.title}`, choices(notification)].filter(Boolean).join(' | ')
  return `switchyard: ${what}\n  ${notification.command}\n`
}
