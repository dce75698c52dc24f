import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { realOrNull } from './toolchain.ts'

type Environment = Record<string, string | undefined>

/** A network for a sandbox that leads out, but not to this host. */
export type OwnNetwork = {
  name: 'pasta' | 'slirp4netns'
  /** The sandbox reads its `/etc/resolv.conf` from this descriptor. */
  resolverDescriptor: string
  /** What it leads to all the same, each as a sentence. */
  gaps: string[]
  /** Starts a sandbox that shares the network of the process which starts it. */
  around(sandbox: readonly string[]): string[]
}

const resolverDescriptor = '9'
/** Answered by pasta with this host's resolver, also where that listens on the loopback only. */
const pastaResolver = '169.254.1.53'
const slirpResolver = '10.0.2.3'

/** What is installed here, the better first. Whether it works, only a trial can say. */
export function findNetworks(env: Environment): OwnNetwork[] {
  const find = (name: string) => findProgram(name, env)
  const setpriv = find('setpriv')
  // No step on the way clears it: the helper dies with the worker, and the sandbox with the helper.
  const dying = setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL']
  const networks: OwnNetwork[] = []
  const [pasta, slirp, unshare] = [find('pasta'), find('slirp4netns'), find('unshare')]
  if (pasta !== null) networks.push(withPasta(pasta, dying, unshare, find('ip')))
  if (slirp !== null && unshare !== null) networks.push(withSlirp(slirp, dying, unshare, find('ip')))
  return networks
}

function withPasta(pasta: string, dying: string[], unshare: string | null, ip: string | null): OwnNetwork {
  const settings = [
    ...['-f', '-q', '--log-file', '/dev/null', '--config-net', '--no-map-gw', '--dns-forward', pastaResolver],
    ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'],
  ]
  // For root, pasta would become nobody, who can't set the namespace up: it is shown another id of the same user.
  const asOrdinary =
    process.getuid?.() === 0 && unshare !== null ? [unshare, '--user', '--map-user=1000', '--map-group=1000', '--'] : []
  return {
    name: 'pasta',
    resolverDescriptor,
    gaps: gapsWithout(ip),
    around: (sandbox) => [
      ...[...dying, ...asOrdinary, pasta, ...settings, '--'],
      ...inNetwork(ip, '', resolverFile(pastaResolver), sandbox),
    ],
  }
}

/**
 * slirp4netns joins a namespace from outside, so it waits in the background until this very process, which becomes the
 * sandbox, has made one; and the sandbox waits for its interface.
 */
function withSlirp(slirp: string, dying: string[], unshare: string, ip: string | null): OwnNetwork {
  const attach = [
    'outside=$(readlink /proc/$$/ns/net) || exit 125',
    '( while [ "$(readlink /proc/$$/ns/net)" = "$outside" ] || ! grep -q . /proc/$$/gid_map || ! grep -q . /proc/$$/uid_map',
    'do [ -e "/proc/$$" ] || exit; sleep 0.01; done',
    `exec ${[...dying, slirp].map(quoted).join(' ')} --configure --mtu=65520 --disable-host-loopback $$ tap0`,
    ') < /dev/null > /dev/null 2>&1 &',
    'exec "$@"',
  ].join('\n')
  const appeared =
    'n=0; until grep -q tap0 /proc/net/route; do n=$((n+1)); [ $n -lt 500 ] || exit 125; sleep 0.01; done 2> /dev/null'
  return {
    name: 'slirp4netns',
    resolverDescriptor,
    gaps: gapsWithout(ip),
    around: (sandbox) => [
      ...[...dying, '/bin/sh', '-c', attach, 'sh', unshare, '--user', '--map-root-user', '--net', '--'],
      ...inNetwork(ip, appeared, resolverFile(slirpResolver), sandbox),
    ],
  }
}

/**
 * Where clouds give credentials to whoever asks: link-local addresses, but for the range of `pastaResolver`, and those
 * that single clouds chose beside them.
 */
const cloudAddresses = [
  '169.254.128.0/17',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::/32',
  'fd20:ce::254',
]

/**
 * The host's other addresses lead to what listens on all of them. Refused as far as `ip` is there to do it; the
 * loopback is out of reach without.
 */
function inNetwork(ip: string | null, before: string, resolver: string, sandbox: readonly string[]): string[] {
  const refused = [...hostAddresses(), ...cloudAddresses].map((address) => `route add unreachable ${address}`)
  // `-force`: an address family that is switched off is no reason to leave out the rest.
  const refuse = ip === null ? [] : [`${quoted(ip)} -force -batch - > /dev/null 2>&1 <<END`, ...refused, 'END']
  const lines = [
    ...(before ? [before] : []),
    ...refuse,
    'resolver=$1; shift',
    `exec "$@" ${resolverDescriptor}<<END\n$resolver\nEND`,
  ]
  return ['/bin/sh', '-c', `${lines.join('\n')}\n`, 'sh', resolver, ...sandbox]
}

function gapsWithout(ip: string | null): string[] {
  if (ip !== null) return []
  const where = 'other addresses of this host than its loopback, and where a cloud gives credentials'
  return [`What runs with the network here (setup, network: true) can reach ${where}: install ip (iproute2).`]
}

/** From the kernel's own tables: other lists leave out interfaces that are down, whose addresses answer all the same. */
function hostAddresses(): string[] {
  const local = readOrEmpty('/proc/net/fib_trie').matchAll(/\|-- ([\d.]+)\n\s+\/32 host LOCAL/g)
  const four = [...local].map(([, address = '']) => address).filter((address) => !address.startsWith('127.'))
  const six = readOrEmpty('/proc/net/if_inet6').matchAll(/^([\da-f]{32}) /gm)
  const loopback = '1'.padStart(32, '0')
  const spoken = [...six].filter(([, digits]) => digits !== loopback).map(([, digits = '']) => inGroups(digits))
  return [...new Set([...four, ...spoken])]
}

function inGroups(digits: string): string {
  return digits.match(/.{4}/g)?.join(':') ?? digits
}

function resolverFile(nameserver: string): string {
  const host = readOrEmpty('/etc/resolv.conf').split('\n')
  return [`nameserver ${nameserver}`, ...host.filter((line) => /^(?:search|domain|options)\s/.test(line))].join('\n')
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** By its own name, also where that is a link: `pasta` is one to `passt`, and does what it is called. */
export function findProgram(name: string, env: Environment): string | null {
  const folders = (env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'))
  return folders.map((folder) => join(folder, name)).find((path) => realOrNull(path) !== null) ?? null
}
