import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * What git is told on every call. In the file that `GIT_CONFIG_GLOBAL` names it reaches the git processes that git
 * starts (receive-pack, upload-pack), for which git strips `GIT_CONFIG_COUNT`; as `GIT_CONFIG_COUNT` it wins over the
 * repository's own config, which would win over the file. Hence both.
 */
const settings: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.quotePath', 'false'],
  ['core.pager', 'cat'],
  ['safe.bareRepository', 'explicit'],
  ['gc.auto', '0'],
  ['gc.autoDetach', 'false'],
  ['maintenance.auto', 'false'],
  ['credential.helper', ''],
  ['protocol.ext.allow', 'never'],
  ['submodule.recurse', 'false'],
  ['transfer.fsckObjects', 'true'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['merge.default', 'text'],
  ['log.showSignature', 'false'],
]

export type GitSurroundings = {
  /** The file for `GIT_CONFIG_GLOBAL`. */
  config: string
  /** An empty folder, for `HOME` and as the working directory. */
  home: string
  /** A bare git directory without refs or a config of its own, to read another one's objects through. */
  shadow: string
}

let known: GitSurroundings | null = null

/**
 * The files that surround every git call, made once and made again should somebody clean them away: without them git
 * would fall back to running hooks. Their folder is named after their content, so that versions don't disturb each
 * other, and each file appears complete or not at all.
 */
export function gitSurroundings(): GitSurroundings {
  if (known && existsSync(known.config) && existsSync(join(known.shadow, 'config'))) return known
  const content = settings.map(([key, value]) => configLine(key, value)).join('')
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16)
  const root = join(stateFolder(), `git-${digest}`)
  const shadow = join(root, 'shadow.git')
  const home = join(root, 'home')
  for (const folder of [home, join(shadow, 'objects'), join(shadow, 'refs')]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  writeWhole(join(shadow, 'HEAD'), 'ref: refs/heads/none\n')
  writeWhole(join(shadow, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n')
  writeWhole(join(root, 'config'), content)
  known = { config: join(root, 'config'), home, shadow }
  return known
}

/** The same settings as environment variables. */
export function settingsAsEnvironment(): Record<string, string> {
  const entries = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return { ...Object.fromEntries(entries), GIT_CONFIG_COUNT: String(settings.length) }
}

function stateFolder(): string {
  const own = process.env['SWITCHYARD_HOME']
  if (own) return own
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'switchyard')
}

function configLine(key: string, value: string): string {
  const [section, ...rest] = key.split('.')
  const name = rest.pop()
  const header = rest.length > 0 ? `[${section} "${rest.join('.')}"]` : `[${section}]`
  return `${header}\n\t${name} = ${value}\n`
}

function writeWhole(path: string, content: string): void {
  const partial = `${path}.${process.pid}`
  writeFileSync(partial, content, { mode: 0o600 })
  renameSync(partial, path)
}
