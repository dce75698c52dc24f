import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second, whatever the kernel's own tick is. */
const MS_PER_TICK = 10

/**
 * CPU time in milliseconds that a process, this one by default, and all below it have used, with those that ended and
 * were waited for; null where there is no /proc. Unlike the time on the clock it hardly depends on what else the machine does.
 */
export function cpuTime(root = process.pid): number | null {
  if (process.platform !== 'linux') return null
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readStat)
  const below = new Set([root])
  for (let size = 0; size !== below.size;) {
    size = below.size
    for (const { pid, parent } of processes) if (below.has(parent)) below.add(pid)
  }
  return processes.filter(({ pid }) => below.has(pid)).reduce((sum, { ticks }) => sum + ticks * MS_PER_TICK, 0)
}

function readStat(name: string): { pid: number; parent: number; ticks: number }[] {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    return [{ pid: Number(name), parent: fields[1]!, ticks: fields.slice(11, 15).reduce((sum, each) => sum + each, 0) }]
  } catch {
    return []
  }
}
