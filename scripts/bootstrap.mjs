// Makes what is missing to run Switchyard from a clone, then runs a script with it. Runs on Node ≥ 20 and
// imports no dependency: it is what installs them.
//   node scripts/bootstrap.mjs                      make everything
//   node scripts/bootstrap.mjs run <script> [args]  … and run a script on Node ≥ 24
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cacheFolder, findTemporalCli, provideTemporalCli } from '../tools/temporal/provision.mjs'

const NODE_VERSION = '24.21.0'
const MINIMUM_MAJOR = 24
/** Scripts that start no Temporal server. */
const WITHOUT_SERVER = ['node_modules', 'scripts/check', 'scripts/build']
const root = fileURLToPath(new URL('..', import.meta.url))
const say = (line) => process.stderr.write(`switchyard: ${line}\n`)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

export function ensureDependencies() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  const digest = createHash('sha256').update(lock).digest('hex')
  const stamp = join(root, 'node_modules', '.switchyard-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  say('installing dependencies (npm ci) …')
  const result = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (result.status !== 0)
    throw new Error('npm ci failed; its output is above. It needs a reachable npm registry: check `npm ping`.')
  writeFileSync(stamp, digest)
}

/** The path of a Node ≥ 24: the running one, or a pinned one in the user's cache. */
export function ensureNode() {
  if (Number(process.versions.node.split('.')[0]) >= MINIMUM_MAJOR) return process.execPath
  const folder = join(cacheFolder(), 'node', NODE_VERSION)
  const node = join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(node)) return node
  say(`installing Node ${NODE_VERSION} beside the running ${process.versions.node}, once …`)
  const partial = `${folder}.partial-${process.pid}`
  mkdirSync(partial, { recursive: true })
  try {
    const install = spawnSync(
      npm,
      ['install', '--prefix', partial, '--no-audit', '--no-fund', '--loglevel=error', `node@${NODE_VERSION}`],
      {
        stdio: ['ignore', 2, 2],
      },
    )
    if (install.status !== 0) {
      throw new Error(
        `Node ≥ ${MINIMUM_MAJOR} is needed, this is ${process.versions.node}, and the npm package node@${NODE_VERSION} could not be installed.\n` +
          `Supply it in one of two ways: install Node ≥ ${MINIMUM_MAJOR} and run this again, or make the npm registry reachable.`,
      )
    }
    rmSync(folder, { recursive: true, force: true })
    renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return node
}

export async function ensureTemporalCli(node) {
  if (await findTemporalCli()) return
  await provideTemporalCli({ say, download: (path) => [node, join(root, 'tools/temporal/download.mjs'), path] })
}

/** Runs a script and takes its end for ours; signals from the terminal reach it by the shared process group. */
export async function runScript(node, script, args) {
  const child = spawn(node, [join(root, script), ...args], {
    stdio: 'inherit',
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)))
  }
  const [code, signal] = await new Promise((resolve) => child.on('close', (...end) => resolve(end)))
  process.exitCode = code ?? 128 + constants.signals[signal]
}

async function main([command, script, ...args]) {
  if (command !== undefined && (command !== 'run' || script === undefined)) {
    throw new Error('usage: node scripts/bootstrap.mjs [run <script> [arguments …]]')
  }
  ensureDependencies()
  const node = ensureNode()
  if (command === undefined || !WITHOUT_SERVER.some((beginning) => script.startsWith(beginning)))
    await ensureTemporalCli(node)
  if (command === 'run') await runScript(node, script, args)
}

if (process.argv[1] && fileURLToPath(import.meta.url) === join(dirname(process.argv[1]), 'bootstrap.mjs')) {
  main(process.argv.slice(2)).catch((error) => {
    say(error.message)
    process.exitCode = 2
  })
}
