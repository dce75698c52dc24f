import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'
import { cacheFolder } from '../../tools/temporal/provision.mjs'

const nothing = (): void => undefined

/** What every bundle of workflows has, whatever its workflows; its making says nothing. */
export const bundled = {
  logger: { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing },
  payloadConverterPath: fileURLToPath(new URL('../contracts/payload-converter.ts', import.meta.url)),
  workflowInterceptorModules: [fileURLToPath(new URL('../workflows/query-guard.ts', import.meta.url))],
}

type Bundle = { code: string } | { codePath: string }

const root = fileURLToPath(new URL('../..', import.meta.url))
/** All that a workflow may import, beside packages: those are as the lock file says. */
export const bundledFolders = ['src/workflows', 'src/domain', 'src/contracts']
/** An edit of the sources leaves a bundle behind that nobody asks for again. */
const UNUSED_MS = 7 * 24 * 3_600_000

/**
 * The workflows as one script for the sandbox. The package brings it along; a clone makes it in about a second and keeps
 * it in the user's cache, or each start of a worker would wait for that.
 */
export async function bundleWorkflows(env: NodeJS.ProcessEnv = process.env): Promise<Bundle> {
  const ready = fileURLToPath(new URL('../workflows/bundle.js', import.meta.url))
  if (existsSync(ready)) return { codePath: ready }
  const folder = join(cacheFolder(env), 'workflows')
  const codePath = join(folder, `${await digestOfSources()}.js`)
  const now = new Date()
  const isKept = await utimes(codePath, now, now).then(
    () => true,
    () => false,
  )
  if (isKept) return { codePath }
  const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url))
  const made = await bundleWorkflowCode({ ...bundled, workflowsPath })
  const code = withSlimMap(made.code, ({ sourcesContent: _, ...map }) => map)
  // What can't be kept, in a folder that is not ours to write, serves this worker all the same.
  return keep(folder, codePath, code).then(
    () => ({ codePath }),
    () => ({ code }),
  )
}

type SourceMap = { file: string; sources: string[]; sourcesContent?: string[] }

const MAP = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,'

/** A worker reads and compiles the map at each start, and insists on one; most of it is the sources once more. */
export function withSlimMap(code: string, slim: (map: SourceMap) => SourceMap): string {
  const at = code.lastIndexOf(MAP)
  if (at < 0) throw new Error('the bundle of the workflows has no source map of the expected form')
  const map = JSON.parse(Buffer.from(code.slice(at + MAP.length), 'base64').toString()) as SourceMap
  return `${code.slice(0, at)}${MAP}${Buffer.from(JSON.stringify(slim(map))).toString('base64')}\n`
}

async function digestOfSources(): Promise<string> {
  // The map names its sources by where they are.
  const hash = createHash('sha256').update(root)
  const folders = await Promise.all(bundledFolders.map((folder) => readdir(join(root, folder), { recursive: true })))
  const files = folders.flatMap((names, index) => names.map((name) => join(bundledFolders[index]!, name)))
  for (const file of [...files.filter((name) => name.endsWith('.ts')).sort(), 'package.json', 'package-lock.json']) {
    hash.update(`${file}\0`).update(await readFile(join(root, file)))
  }
  return hash.digest('hex').slice(0, 32)
}

/** Whole or not at all: another worker may make the same now. */
async function keep(folder: string, codePath: string, code: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const partial = `${codePath}.${process.pid}`
  await writeFile(partial, code)
  await rename(partial, codePath)
  for (const name of await readdir(folder)) {
    const { mtimeMs } = await stat(join(folder, name))
    if (Date.now() - mtimeMs > UNUSED_MS) await rm(join(folder, name), { force: true })
  }
}
