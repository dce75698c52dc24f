import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join } from 'node:path'

/** What of this machine a sandbox may read, besides the repository's own tree. */
export type Toolchain = {
  /** The worker's PATH without what is not visible inside. */
  path: string
  /** Bound read-only at the same place. */
  visible: string[]
  env: Record<string, string>
}

const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/nix/store']

/** Of /etc only what programs need to start: no keys, no shadow file, no configuration with credentials. */
const systemFiles = [
  'alternatives', 'ca-certificates', 'crypto-policies', 'debian_version', 'fonts', 'group', 'host.conf', 'hosts',
  'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'localtime', 'lsb-release', 'mime.types', 'nsswitch.conf', 'os-release',
  'passwd', 'pki/ca-trust', 'pki/tls/certs', 'pki/tls/cert.pem', 'protocols', 'services', 'ssl/certs', 'ssl/cert.pem',
  'ssl/openssl.cnf', 'terminfo', 'timezone',
].map((name) => `/etc/${name}`) // prettier-ignore

/**
 * What belongs to a tool beside its `bin`: never the whole folder, in which a `credentials.toml`, an `etc/npmrc` or
 * all of `~/.local/share` may lie.
 */
const toolFolders = ['bin', 'sbin', 'shims', 'lib', 'lib64', 'libexec', 'include', 'versions', 'version', 'plugins']
const furtherToolFolders = ['share', 'pyenv.d', 'completions', 'pyvenv.cfg']
const goFolders = ['VERSION', 'go.env', 'pkg', 'src', 'api', 'misc']

/** `hidden`: folders that may not be seen, nor anything that holds them. */
export function findToolchain(env: Record<string, string | undefined>, hidden: readonly string[]): Toolchain {
  const home = realOrNull(env['HOME'] || homedir()) ?? '/'
  const system = systemFolders.filter((folder) => realOrNull(folder) !== null)
  const visible = new Set<string>()
  const kept: string[] = []

  const isVisible = (path: string) => [...system, ...visible].some((folder) => isWithin(path, folder))
  const mayShow = (path: string) =>
    !isWithin(home, path) && !hidden.some((folder) => isWithin(folder, path) || isWithin(path, folder))

  function show(path: string | null): void {
    if (path !== null && mayShow(path) && !isVisible(path)) visible.add(path)
  }

  function showTool(bin: string): void {
    if (isVisible(bin) || !mayShow(bin)) return
    show(bin)
    const prefix = dirname(bin)
    if (['bin', 'sbin', 'shims'].includes(basename(bin)) && mayShow(prefix)) {
      const folders = realOrNull(join(prefix, 'VERSION')) ? [...toolFolders, ...goFolders] : toolFolders
      for (const name of folders) show(realOrNull(join(prefix, name)))
      if (basename(prefix) !== '.local') for (const name of furtherToolFolders) show(realOrNull(join(prefix, name)))
    }
    for (const target of linksOf(bin)) {
      if (isVisible(target)) continue
      if (['bin', 'sbin'].includes(basename(dirname(target)))) showTool(dirname(target))
      else show(target)
    }
  }

  for (const entry of (env['PATH'] ?? '').split(':')) {
    const real = isAbsolute(entry) ? realOrNull(entry) : null
    if (real === null) continue
    showTool(real)
    const shown = isVisible(entry) ? entry : real
    if (isVisible(real) && mayShow(real) && !kept.includes(shown)) kept.push(shown)
  }
  const extra = rustup(env, home, kept)
  for (const path of extra.visible) show(path)
  const files = systemFiles.filter((file) => realOrNull(file) !== null)
  return { path: kept.join(':'), visible: [...system, ...files, ...visible], env: extra.env }
}

/** cargo and rustc on PATH are proxies that look for their toolchains below HOME, which is another one inside. */
function rustup(env: Record<string, string | undefined>, home: string, path: string[]) {
  const root = realOrNull(env['RUSTUP_HOME'] ?? join(home, '.rustup'))
  if (root === null || !path.some((folder) => realOrNull(join(folder, 'rustup')) !== null)) {
    return { visible: [], env: {} }
  }
  const visible = ['toolchains', 'settings.toml'].map((name) => realOrNull(join(root, name)))
  return { visible, env: { RUSTUP_HOME: root } }
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`)
}

function linksOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => lstatSync(path).isSymbolicLink())
      .map(realOrNull)
      .filter((path) => path !== null)
  } catch {
    return []
  }
}

export function realOrNull(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
