import type { Timings } from '#contracts/timings'
import type { Contact } from '#domain/contact'

export type { Contact, NotifyTarget } from '#domain/contact'

/** `switchyard.yaml` with every default filled in and paths made absolute. */
export type InstallationConfig = {
  forge: 'local' | 'github'
  repositories: { name: string; /** Absolute path of a bare repository, or a URL. */ remote: string }[]
  /** `sqlite`, or a `postgres://` URL. */
  ledger: string
  isolation: 'required' | 'none'
  watch: { every: number; review: number }
  people: Contact[]
  timings: Timings
}

/** Where an installation is: its file (null before `init`) and the folder that holds all state. */
export type InstallationPaths = { file: string | null; home: string }
