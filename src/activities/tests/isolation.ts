import { spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { defaultLimits, type Limits } from '#domain/limits'
import { cacheFolder } from './kept.ts'
import { findResourceLimits } from './limits.ts'
import { findNetworks, findProgram, type OwnNetwork } from './network.ts'
import { findToolchain, isWithin, realOrNull } from './toolchain.ts'

export type IsolatedCommand = {
  /** What `sh -c` gets. */
  shell: string
  slot: { tree: string; home: string; temp: string; marks: string }
  /** Bound read-only into the tree. `path` is relative to it. `cache`: bound over its `.cache` to be written. */
  kept: readonly { source: string; path: string; cache: string | null }[]
  network: boolean
  /** Added to the clean environment. */
  env: Record<string, string>
  /** Folders that must not be seen, besides the state folder. */
  hidden: readonly string[]
  limits: Limits
}

export type Isolation = {
  mode: 'bubblewrap' | 'none'
  /** What a command with `network: true` gets: one without this host, or that of this host. */
  network: 'own' | 'shared'
  detail: string
  /** What is not isolated or limited as designed, each as a sentence. */
  gaps: readonly string[]
  /** Why no command may run: isolation is required and does not work. */
  problem: string | null
  /** What decides, besides the command, what it makes: kept paths of other surroundings are not reused. */
  surroundings: string
  wrap(command: IsolatedCommand): { command: string; args: string[]; cwd: string; env: Record<string, string> }
}

/** The tree inside the sandbox: the same in every slot, so that paths in kept paths and caches stay true. */
const treeInside = '/checkout'
const homeInside = '/scratch'
const marksInside = '/run/switchyard'
/** Made in `marks` once the sandbox stands: without it, a failure is the sandbox's and not the command's. */
export const startedMark = 'started'

/** Memory that is in no process, and so not added up: a part of what the command may use. */
const sharedMemoryShare = 4

type Environment = Record<string, string | undefined>

/** Looks at this machine once, by really starting a sandbox. */
export function createIsolation(options: {
  required: boolean
  env: Environment
  /** The state folder and whatever else may never be seen. */
  hidden: readonly string[]
}): Isolation {
  if (!options.required) return withoutIsolation(options.env)
  const bubblewrap = findProgram('bwrap', options.env)
  if (bubblewrap === null) return brokenIsolation('bubblewrap is not installed')
  const make = (network: OwnNetwork | null, why: string) =>
    withBubblewrap({ bubblewrap, network, why, env: options.env, hidden: options.hidden })
  const problem = tryOut(make(null, ''), false)
  if (problem !== null) return brokenIsolation(`bubblewrap does not work here (${problem})`)
  const problems: string[] = []
  for (const network of findNetworks(options.env)) {
    const isolation = make(network, '')
    const why = tryOut(isolation, true)
    if (why === null) return isolation
    problems.push(`${network.name} does not work here: ${why}`)
  }
  return make(null, problems.join(', ') || 'neither pasta (package passt) nor slirp4netns is installed')
}

type Sandbox = {
  bubblewrap: string
  network: OwnNetwork | null
  /** Why there is no network of its own. */
  why: string
  env: Environment
  hidden: readonly string[]
}

function withBubblewrap({ bubblewrap, network, why, env, hidden }: Sandbox): Isolation {
  const hiddenFolders = hidden.map((folder) => realOrNull(folder) ?? folder)
  const toolchain = findToolchain(env, hiddenFolders)
  const resources = findResourceLimits(env, true)

  function wrap(run: IsolatedCommand) {
    const sharedMemory = Math.ceil(run.limits.memory / sharedMemoryShare)
    const inside = { HOME: homeInside, TMPDIR: '/tmp', PATH: toolchain.path, ...toolchain.env }
    const folders = [...hiddenFolders, ...run.hidden.map((folder) => realOrNull(folder) ?? folder)]
    const args = [
      ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
      ...(run.network ? networkArguments(network) : []),
      ...toolchain.visible.flatMap((path) => ['--ro-bind', path, path]),
      ...folders.filter((folder) => toolchain.visible.some((path) => isWithin(folder, path)))
        .flatMap((folder) => ['--tmpfs', folder, '--remount-ro', folder]),
      ...['--proc', '/proc', '--dev', '/dev', '--size', String(sharedMemory), '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
      ...['--bind', run.slot.temp, '/tmp', '--symlink', '/tmp', '/var/tmp'],
      ...['--bind', run.slot.home, homeInside, '--bind', run.slot.marks, marksInside],
      ...['--bind', run.slot.tree, treeInside],
      ...run.kept.flatMap(({ source, path }) => ['--ro-bind', source, join(treeInside, path)]),
      ...run.kept.flatMap(({ path, cache }) => cache ? ['--bind', cache, join(treeInside, path, cacheFolder)] : []),
      ...['--remount-ro', '/', '--chdir', treeInside],
      // Inside: the kernel counts processes per user and namespace, and of root outside none.
      ...['--', ...resources.before(run.limits)],
      ...['sh', '-c', `: > ${marksInside}/${startedMark} && exec sh -c "$1"`, 'sh', run.shell],
    ] // prettier-ignore
    const sandbox = [bubblewrap, ...args]
    const [command = bubblewrap, ...rest] = run.network && network ? network.around(sandbox) : sandbox
    // Given to bubblewrap itself and not by --setenv: its pid 1 shows inside what it was started with.
    return { command, args: rest, cwd: '/', env: { ...cleanEnvironment(env), ...inside, ...run.env } }
  }

  return {
    mode: 'bubblewrap',
    network: network ? 'own' : 'shared',
    detail: network
      ? `own PID, mount and network namespaces, for setup and checks with "network: true" through ${network.name}`
      : 'own PID, mount and network namespaces; setup and checks with "network: true" share the network of this host ' +
        `and can reach its services (${why})`,
    gaps: [...resources.gaps, ...(network?.gaps ?? [])],
    problem: null,
    surroundings: surroundingsOf('bubblewrap', toolchain.path),
    wrap,
  }
}

function networkArguments(network: OwnNetwork | null): string[] {
  if (network === null) return ['--share-net', '--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf']
  // The helper's namespace knows this user under another id.
  const user = ['--uid', String(process.getuid?.() ?? 0), '--gid', String(process.getgid?.() ?? 0)]
  return ['--share-net', ...user, '--ro-bind-data', network.resolverDescriptor, '/etc/resolv.conf']
}

function withoutIsolation(env: Environment): Isolation {
  const resources = findResourceLimits(env, false)
  return {
    mode: 'none',
    network: 'shared',
    detail: 'isolation: none, trusted code only: commands can read and change what this user can',
    gaps: resources.gaps,
    problem: null,
    surroundings: surroundingsOf('none', env['PATH'] ?? ''),
    wrap(run) {
      const own = { HOME: run.slot.home, TMPDIR: run.slot.temp, PATH: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin' }
      const [command = 'sh', ...args] = [...resources.before(run.limits), 'sh', '-c', run.shell]
      return { command, args, cwd: run.slot.tree, env: { ...cleanEnvironment(env), ...own, ...run.env } }
    },
  }
}

function brokenIsolation(why: string): Isolation {
  const problem = `isolation: required, but ${why}; install bubblewrap or set isolation: none`
  return {
    mode: 'none',
    network: 'shared',
    detail: `${problem}; until then no command runs`,
    gaps: [],
    problem,
    surroundings: '',
    wrap: () => {
      throw new Error(problem)
    },
  }
}

function surroundingsOf(mode: string, path: string): string {
  return JSON.stringify([mode, process.platform, process.arch, path])
}

function cleanEnvironment(env: Environment): Record<string, string> {
  return { LANG: env['LANG'] || 'C.UTF-8', TERM: 'dumb', CI: 'true' }
}

/** Tried with folders that exist everywhere in place of a slot's. Answers why it does not work, or null. */
function tryOut(isolation: Isolation, network: boolean): string | null {
  const { command, args, cwd, env } = isolation.wrap({
    shell: 'true',
    slot: { tree: '/usr', home: '/usr', temp: '/usr', marks: '/usr' },
    kept: [],
    network,
    env: {},
    hidden: [],
    limits: defaultLimits,
  })
  const look = ['sh', '-c', 'readlink /proc/self/ns/net && cat /proc/net/dev']
  const result = spawnSync(command, [...args.slice(0, -look.length - 2), ...look], {
    cwd,
    env,
    timeout: 10_000,
    killSignal: 'SIGKILL',
  })
  if (result.error) return result.error.message
  if (result.status !== 0) {
    return result.stderr.toString().trim().split('\n').at(-1) || `exit code ${result.status}`
  }
  const seen = result.stdout.toString()
  if (seen.startsWith(readlinkSync('/proc/self/ns/net'))) return 'it shares the network of this host'
  return !network || /^\s*(?!lo:)\S+:/m.test(seen) ? null : 'it has no interface'
}
