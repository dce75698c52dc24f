import type { KnownPerson } from './people.ts'
import type { WorkingHours } from './working-hours.ts'

/** Where a person wants to hear of a question, from `people[].notify` of `switchyard.yaml`. */
export type NotifyTarget =
  | { via: 'slack'; url: string }
  | {
      via: 'webhook'
      url: string
      /** Name of the environment variable with the key of the signature. */ secret: string | null
    }
  | {
      via: 'command'
      /** A program without arguments: an absolute path, or a name that is looked up in PATH. */ run: string
    }
  | { via: 'terminal' }

/** A person and how to reach them. Addresses are secrets: what is stored or sent on is a `knownPerson`. */
export type Contact = KnownPerson & {
  notify: NotifyTarget[]
  /** null: at any time. */
  hours: WorkingHours | null
}

/** Who somebody is, without how to reach them. */
export function knownPerson({ name, login, email, groups }: KnownPerson): KnownPerson {
  return { name, login, email, groups }
}
