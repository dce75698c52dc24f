import { conflictMarker, type ReviewedLine } from '#domain/review'
import type { AddedBlob, AddedText } from '../git/port.ts'

const markers = {
  start: conflictMarker.start.trim(),
  separator: conflictMarker.separator,
  end: conflictMarker.end.trim(),
}
const markerLine = new RegExp(`^(?:${Object.values(markers).join('|')})(?: .*|\\r)?\\n`, 'gm')
/** More conflicts than anybody reads; beyond, a hostile change would only fill memory. */
const maxMarkers = 3_000

/**
 * Of all that a change adds, the lines that may belong to a conflict, with their numbers in the new file: starts, the
 * separators behind one, the ends behind one.
 */
export async function markerLines(added: AsyncIterable<AddedText | AddedBlob>): Promise<ReviewedLine[]> {
  const kept: ReviewedLine[] = []
  let path = ''
  let searched = 0
  for await (const piece of added) {
    if (piece.kind !== 'text') continue
    if (piece.path !== path) searched = 0
    path = piece.path
    for (const { 0: found, index } of piece.text.matchAll(markerLine)) {
      const line = piece.lineAt(index)
      // Pieces overlap.
      if (line <= searched) continue
      searched = line
      keep(kept, { path, line, text: found.slice(0, -1) })
      if (kept.length >= maxMarkers) return kept
    }
  }
  return kept
}

function keep(kept: ReviewedLine[], next: ReviewedLine): void {
  const before = kept.at(-1)
  const follows = (marker: string) => before?.path === next.path && before.text.startsWith(marker)
  if (next.text.startsWith(markers.start)) {
    if (follows(markers.start)) kept.pop()
    kept.push(next)
  } else if (next.text.startsWith(markers.separator) ? follows(markers.start) : follows(markers.separator)) {
    kept.push(next)
  }
}
