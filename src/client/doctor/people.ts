import type { Contact } from '#domain/contact'
import type { ProbeResult } from './machine.ts'

/** Whether what signs the webhooks of people is there, in the environment that workers would be started with from here. */
export function keysOfPeople(people: Contact[], env: Record<string, string | undefined>): ProbeResult | ProbeResult[] {
  const signed = people.flatMap(({ name, notify }) =>
    notify.flatMap((target) =>
      target.via === 'webhook' && target.secret !== null ? [{ name, key: target.secret }] : [],
    ),
  )
  const missing = signed.filter(({ key }) => (env[key] ?? '') === '')
  if (missing.length > 0) return missing.map(warning)
  const webhooks = `${signed.length} signed webhook${signed.length === 1 ? '' : 's'}`
  return { outcome: 'ok', detail: `${people.length} known, ${webhooks}`, hint: null }
}

function warning({ name, key }: { name: string; key: string }): ProbeResult {
  return {
    outcome: 'warn',
    detail: `${name}: ${key}, the key of a webhook, is not set`,
    hint: `Set ${key} where the worker for decision runs, and start that again: until then the webhook gets nothing.`,
  }
}
