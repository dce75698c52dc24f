import { commandsOf, type Policy } from './policy.ts'

/** What isolation an installation gives. `shared`: what needs the network gets the host's, with all that listens there. */
export type Isolation = {
  mode: 'bubblewrap' | 'none'
  network: 'own' | 'shared'
  /** What else is not isolated or limited as designed, each as a sentence. */
  gaps?: readonly string[]
}

/** What everybody who reads a decision should know of how its checks ran; null when they were isolated as designed. */
export function isolationWarning({ mode, network, gaps = [] }: Isolation, policy: Policy): string | null {
  if (mode === 'none') return 'Checks run without isolation here: trusted code only.'
  const usesNetwork = [...commandsOf(policy).values()].some((command) => command.network || command.setup !== null)
  return [...(network === 'shared' && usesNetwork ? [sharedNetwork] : []), ...gaps].join(' ') || null
}

const sharedNetwork =
  'What runs with the network here (setup, network: true) can reach services of its host: install pasta or slirp4netns.'
