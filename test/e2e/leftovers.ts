/** What must not lie about, or stand anywhere, once a worker has ended in order. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** What processes of a host leave in its folder: in their slots, and where they ask the tools for their versions. */
const ofProcesses = /^hosts\/[^/]+\/(?:slots\/[^/]+\/\d+\/(?:lock|takeover|process)(?:\.[\d.]+)?|probe\/[^/]+)$/

/** I8: locks, records of processes and temporary files below the folders; processes that know one of them. */
export async function strays(folders: { state: string; temp: string }): Promise<string[]> {
  const inState = (await pathsBelow(folders.state))
    // Not stale: the operating system locks these files, and they stay.
    .filter((path) => path !== 'temporal/start.lock' && path !== 'run/up.lock')
    .filter((path) => /\.lock$|\.tmp$/.test(path) || ofProcesses.test(path))
  const inTemp = await readdir(folders.temp)
  return [
    ...inState.map((path) => `I8: ${path} is left in the state folder`),
    ...inTemp.map((path) => `I8: ${path} is left in the temporary folder`),
    ...(await processesThatKnow(folders.state)).map((line) => `I8: a process is left: ${line}`),
  ]
}

/** Follows no link, and looks into no checkout: what is in there is the repository's. */
async function pathsBelow(folder: string, path = ''): Promise<string[]> {
  const entries = await readdir(join(folder, path), { withFileTypes: true })
  const found = await Promise.all(
    entries.map(async (entry) => {
      const inside = join(path, entry.name)
      const enter = entry.isDirectory() && !/^hosts\/[^/]+\/slots\/[^/]+\/\d+\/tree$/.test(inside)
      return enter ? [inside, ...(await pathsBelow(folder, inside))] : [inside]
    }),
  )
  return found.flat()
}

async function processesThatKnow(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
      const [command, environment, cwd] = await Promise.all([
        read('cmdline'),
        read('environ'),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ])
      const knows = [command, environment, cwd].some((text) => text.includes(folder))
      return knows ? `${pid} ${command.replaceAll('\0', ' ')}` : null
    }),
  )
  return lines.filter((line) => line !== null)
}

/** I11: where a canary, or its base64 or URL-encoded form, stands in what Switchyard wrote. */
export async function leaks(canaries: string[], files: string[], texts: Record<string, string>): Promise<string[]> {
  const found = new Map(canaries.map((canary) => [canary, new Set<string>()]))
  const look = (name: string, content: string) => {
    for (const [canary, names] of found) if (formsOf(canary).some((form) => content.includes(form))) names.add(name)
  }
  for (const [name, text] of Object.entries(texts)) look(name, text)
  for (const file of files) await eachPart(file, (part) => look(file, part))
  return [...found].flatMap(([canary, names]) => {
    const shown = createHash('sha256').update(canary).digest('hex').slice(0, 8)
    return [...names].map((name) => `I11: the canary ${shown} is in ${name}`)
  })
}

function formsOf(canary: string): string[] {
  return [canary, Buffer.from(canary).toString('base64').replace(/=+$/, ''), encodeURIComponent(canary)]
}

/** Bytes by which a part reaches back into the one before, so that nothing is cut in two: more than any canary has. */
const OVERLAP = 1_024

/** A database of a long sweep is larger than the longest string. */
async function eachPart(file: string, look: (part: string) => void): Promise<void> {
  let before = ''
  for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 4_194_304 })) {
    const part = before + String(chunk)
    look(part)
    before = part.slice(-OVERLAP)
  }
}

/** All files below some folders or files. */
export async function filesBelow(...folders: string[]): Promise<string[]> {
  const listed = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    }),
  )
  return listed.flat()
}
