import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMap, isSeq, parseDocument, type Document, type YAMLSeq } from 'yaml'
import { parseInstallation } from './installation-file.ts'
import { ConfigError, fileProblem } from './problems.ts'
import { renderInstallationFile } from './render.ts'

/**
 * Adds a repository to `switchyard.yaml`, keeping its comments; makes the file where there is none. Throws
 * `ConfigError` and writes nothing where the file is broken, the name is there, or the name or remote is not allowed.
 */
export async function addRepositoryToFile(file: string, repository: { name: string; remote: string }): Promise<void> {
  const text = await readText(file)
  if (text === null) return write(file, checked(file, renderInstallationFile({ repositories: [repository] })))
  const document = parseDocument(checked(file, text))
  const repositories = repositoriesOf(document)
  const name = repository.name.toLowerCase()
  if (repositories.items.some((item) => nameOf(item)?.toLowerCase() === name)) {
    throw new ConfigError([fileProblem(file, `the repository '${repository.name}' is there already`)])
  }
  const { name: label, remote } = repository
  repositories.add(document.createNode({ name: label, remote }, { flow: true }))
  repositories.flow = false
  await write(file, checked(file, document.toString({ lineWidth: 0 })))
}

/** Takes a repository out; false where it is not in the file. Throws `ConfigError` where the file is broken. */
export async function removeRepositoryFromFile(file: string, name: string): Promise<boolean> {
  const text = await readText(file)
  if (text === null) return false
  const document = parseDocument(checked(file, text))
  const repositories = repositoriesOf(document)
  const index = repositories.items.findIndex((item) => nameOf(item)?.toLowerCase() === name.toLowerCase())
  if (index < 0) return false
  repositories.delete(index)
  if (repositories.items.length === 0) repositories.flow = true
  await write(file, checked(file, document.toString({ lineWidth: 0 })))
  return true
}

function repositoriesOf(document: Document): YAMLSeq {
  const found = document.get('repositories', true)
  if (isSeq(found)) return found
  document.set('repositories', document.createNode([]))
  return document.get('repositories', true) as unknown as YAMLSeq
}

function nameOf(item: unknown): string | null {
  const name: unknown = isMap(item) ? item.get('name') : null
  return name === null || name === undefined ? null : String(name)
}

/** The text itself, once it is known to be a valid file: neither a broken file is edited nor is one written. */
function checked(file: string, text: string): string {
  const parsed = parseInstallation(text, file, dirname(file))
  if (!parsed.ok) throw new ConfigError(parsed.problems)
  return text
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return null
    throw new ConfigError([fileProblem(file, `can't be read: ${code ?? String(error)}`)])
  }
}

/** By a rename, so that a reader sees the old file or the new one; a symbolic link stays one. */
async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const target = await realpath(file).catch(() => file)
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => null,
  )
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (mode !== null) await chmod(temporary, mode)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
