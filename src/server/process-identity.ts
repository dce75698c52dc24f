import { execFile } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A process id alone may belong to somebody else by now; with its start time it names one process for ever. */
export type ProcessIdentity = { pid: number; startTime: string }

/** Who runs under this id now; null when nobody does. A zombie counts as nobody. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  const startTime = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid)
  return startTime === null ? null : { pid, startTime }
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startTime === identity.startTime
}

/** TERM, then KILL after the grace time. Returns when the process is gone; never signals another one of the same id. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!(await signalIfAlive(identity, 'SIGTERM'))) return
  if (await waitForEnd(identity, graceMs)) return
  await signalIfAlive(identity, 'SIGKILL')
  if (!(await waitForEnd(identity, 10_000))) throw new Error(`process ${identity.pid} does not end, even by SIGKILL`)
}

/** True when the process ended within the time. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (await isAlive(identity)) {
    if (Date.now() >= deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}

/** Processes that were started with all of these arguments, whoever started them. */
export async function processesWithArguments(...wanted: string[]): Promise<ProcessIdentity[]> {
  const pids = process.platform === 'linux' ? await scanProc(wanted) : await scanPs(wanted)
  const found = await Promise.all(pids.filter((pid) => pid !== process.pid).map(identifyProcess))
  return found.filter((identity) => identity !== null)
}

async function signalIfAlive(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

async function startOnLinux(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return null
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return null
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()}/${fields[19]}`
}

async function startByPs(pid: number): Promise<string | null> {
  const result = await run('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { env: { LC_ALL: 'C' } }).catch(
    () => null,
  )
  const [state, ...start] = result?.stdout.trim().split(/\s+/) ?? []
  return state === undefined || state === '' || state.startsWith('Z') ? null : start.join(' ')
}

async function scanProc(wanted: string[]): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const matches = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const given = new Set(line.split('\0'))
      return wanted.every((argument) => given.has(argument))
    }),
  )
  return pids.filter((_, index) => matches[index])
}

async function scanPs(wanted: string[]): Promise<number[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 64 * 1024 * 1024 })
  return stdout
    .split('\n')
    .filter((line) => wanted.every((argument) => `${line} `.includes(` ${argument} `)))
    .map((line) => Number.parseInt(line, 10))
}
