import { tellCommand } from './command.ts'
import { harmless } from './harmless.ts'
import type { Fetch } from './http.ts'
import type { Notifier } from './port.ts'
import { tellSlack } from './slack.ts'
import { tellTerminal, type Output } from './terminal.ts'
import { tellWebhook } from './webhook.ts'

export type NotifierOptions = {
  /** The worker's: keys of signatures, and what a command is let see. */
  env: Record<string, string | undefined>
  fetch?: Fetch
  stderr?: Output
  /** Milliseconds for an answer, and for a command. */
  limits?: { answer: number; command: number }
}

export function createNotifier(options: NotifierOptions): Notifier {
  const { env, fetch = globalThis.fetch, stderr = process.stderr } = options
  const { answer, command } = options.limits ?? { answer: 10_000, command: 10_000 }
  return {
    async send(target, notification, signal) {
      signal.throwIfAborted()
      const shown = harmless(notification)
      switch (target.via) {
        case 'slack':
          return tellSlack({ fetch, timeout: answer }, target, shown, signal)
        case 'webhook':
          return tellWebhook({ fetch, timeout: answer, env }, target, shown, signal)
        case 'command':
          return tellCommand({ env, timeout: command }, target, shown, signal)
        case 'terminal':
          return tellTerminal(stderr, shown, signal)
      }
    },
  }
}
