import Table from 'cli-table3'

/** What a benchmark answers: one JSON document, the same as a table, and whether every target is met. */
export type Report = { document: object; text: string; met: boolean }

/** A whole number from 1 to `max`, or where `list` is true several of them with commas between. */
export type BenchmarkOption = { fallback: string; max: number; list?: true; about: string }

export type BenchmarkContext = { say: (line: string) => void; signal: AbortSignal }

/** One measurement against a peer or a floor, in rotated rounds of one run. */
export type Benchmark = {
  about: string
  options: Record<string, BenchmarkOption>
  run(values: Record<string, number[]>, context: BenchmarkContext): Promise<Report>
}

export type Target = { name: string; is: number; atMost: number; unit: string }

export const isMet = (target: Target): boolean => target.is <= target.atMost

export function targetLine(target: Target): string {
  const { name, is, atMost, unit } = target
  return `${isMet(target) ? 'met   ' : 'MISSED'}  ${name}: ${is} ${unit} (≤ ${atMost} ${unit})`
}

export function tableOf(head: string[], rows: (string | number)[][]): string {
  const table = new Table({ head, style: { head: [], border: [] } })
  table.push(...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell))))
  return table.toString()
}
