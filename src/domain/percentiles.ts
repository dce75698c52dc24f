/** The values below which 50 and 95 percent of them lie, by the nearest rank; null where there are none. */
export type Percentiles = { p50: number | null; p95: number | null }

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null
  return { p50: at(0.5), p95: at(0.95) }
}
