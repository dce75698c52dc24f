import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runShortProcess } from '../process/helper.ts'
import { emptyFolder } from './folders.ts'

/** Made at once, because a process costs more than all else here. */
const stock = 32
const inputName = 'in'

/**
 * Standard streams that a command can open by name, as `/dev/stderr`: Node itself makes sockets, and has no call that
 * makes a pipe. The folder is that of a slot which we hold; a FIFO loses its name when it is opened, so that those which
 * are left there are new. The input is a file, because who opens a FIFO after its writer has gone waits for ever.
 */
export async function makeStreams(folder: string, stdin: string | null) {
  const [stdout, stderr] = await twoFifos(folder)
  const file = join(folder, inputName)
  await rm(file, { force: true })
  if (stdin !== null) await writeFile(file, stdin, { flag: 'wx', mode: 0o600 })
  return { fifos: { stdout, stderr }, stdin: stdin === null ? undefined : { file } }
}

async function twoFifos(folder: string): Promise<[string, string]> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const left = (await readdir(folder)).filter((name) => name !== inputName).map((name) => join(folder, name))
  const [first, second] = left.length >= 2 ? left : await makeFifos(folder)
  return [first!, second!]
}

async function makeFifos(folder: string): Promise<string[]> {
  await emptyFolder(folder)
  const paths = Array.from({ length: stock }, (_, index) => join(folder, String(index)))
  const { exitCode, spawnError, stderr } = await runShortProcess({
    command: 'mkfifo',
    args: ['-m', '600', '--', ...paths],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    timeout: 10_000,
    graceMs: 1_000,
    maxOutput: 4096,
  })
  if (exitCode !== 0) throw new Error(spawnError === null ? stderr.toString() : `mkfifo: ${spawnError}`)
  return paths
}
