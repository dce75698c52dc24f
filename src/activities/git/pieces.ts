import type { AddedText } from './port.ts'

/** Bytes of a piece of added text. */
const pieceLength = 64 * 1024
/** What a piece has in common with the one before it of the same file, so that a secret across the border is in one. */
const overlap = 16 * 1024
const newline = Buffer.from('\n')

/** From the piece's line with this index (0-based) on, lines of the new file follow each other from `line` on. */
type Stretch = { index: number; line: number }

/**
 * Joins added lines into pieces of text. Lines that are not neighbours in the new file are kept apart by an empty one.
 * `at` says whose lines they are.
 */
export function createPieces(at: Readonly<{ commit: string; path: string }>) {
  const bytes = Buffer.allocUnsafe(pieceLength)
  let length = 0
  /** How much of the piece was in the one before. */
  let carried = 0
  let index = 0
  let stretches: Stretch[] = []
  let expected = 0

  function piece(): AddedText {
    const text = bytes.toString('utf8', 0, length)
    return { kind: 'text', commit: at.commit, path: at.path, text, lineAt: lineCounter(text, stretches) }
  }

  function carryOver(): void {
    const from = length - overlap
    let skipped = 0
    for (let next = bytes.indexOf(0x0a); next !== -1 && next < from; next = bytes.indexOf(0x0a, next + 1)) skipped += 1
    const shifted = stretches.filter((stretch) => stretch.index > skipped)
    stretches = [
      { index: 0, line: lineOf(stretches, skipped) },
      ...shifted.map((stretch) => ({ ...stretch, index: stretch.index - skipped })),
    ]
    bytes.copyWithin(0, from, length)
    index -= skipped
    length = carried = overlap
  }

  function* append(part: Buffer): Generator<AddedText> {
    for (let start = 0; start < part.length;) {
      if (length === pieceLength) {
        yield piece()
        carryOver()
      }
      const copied = part.copy(bytes, length, start)
      length += copied
      start += copied
    }
  }

  return {
    append,
    *startLine(line: number): Generator<AddedText> {
      const first = length === 0
      if (!first && line === expected) return
      if (!first) {
        yield* append(newline)
        index += 1
      }
      stretches.push({ index, line })
      expected = line
    },
    *endLine(): Generator<AddedText> {
      yield* append(newline)
      index += 1
      expected += 1
    },
    *flush(): Generator<AddedText> {
      if (length > carried) yield piece()
      length = carried = index = expected = 0
      stretches = []
    },
  }
}

/** All of a file's content as if it were added. */
export function* piecesOf(at: Readonly<{ commit: string; path: string }>, content: Buffer): Generator<AddedText> {
  const pieces = createPieces(at)
  yield* pieces.startLine(1)
  yield* pieces.append(content)
  yield* pieces.flush()
}

/** Counts on from the position it was asked for last, so that asking in order costs one pass over the text. */
function lineCounter(text: string, stretches: Stretch[]): (position: number) => number {
  let index = 0
  let next = text.indexOf('\n')
  let last = 0
  return (position) => {
    if (position < last) {
      index = 0
      next = text.indexOf('\n')
    }
    last = position
    for (; next !== -1 && next < position; next = text.indexOf('\n', next + 1)) index += 1
    return lineOf(stretches, index)
  }
}

function lineOf(stretches: Stretch[], index: number): number {
  let low = 0
  let high = stretches.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((stretches[middle]?.index ?? 0) <= index) low = middle
    else high = middle - 1
  }
  const stretch = stretches[low]
  return stretch === undefined ? 1 : stretch.line + index - stretch.index
}
