/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** The order of round `round`: each lane comes first as often as any other, so that none profits from its place. */
export function rotate<T>(lanes: T[], round: number): T[] {
  const by = round % lanes.length
  return [...lanes.slice(by), ...lanes.slice(0, by)]
}

/** Rounded to two digits behind the point, for documents. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
