import { StringDecoder } from 'node:string_decoder'
import { maskedText } from '#domain/mask'

/** Characters of one line that are held back at most, waiting for its end. */
const longestLine = 64 * 1024
/** A secret that is cut by the border of an overlong line is found when it is no longer than this. */
const overlap = 4 * 1024

/** Turns chunks of bytes into text that may be stored: whole lines, without control sequences, masked. */
export type MaskedLines = {
  add(chunk: Buffer): string
  end(): string
  /** Forgets the unfinished line, which may end in half a secret, and answers its bytes. */
  drop(): number
}

export function createMaskedLines(known: readonly string[]): MaskedLines {
  const decoder = new StringDecoder('utf8')
  let pending = ''

  function add(chunk: Buffer): string {
    pending += decoder.write(chunk)
    const end = pending.lastIndexOf('\n') + 1
    let out = ''
    if (end > 0) {
      out = safeText(pending.slice(0, end), known)
      pending = pending.slice(end)
    }
    while (pending.length > longestLine) {
      const part = pending.slice(0, longestLine)
      const cut = safeCut(part, known)
      out += safeText(part.slice(0, cut), known)
      pending = pending.slice(cut)
    }
    return out
  }

  function end(): string {
    const out = safeText(pending + decoder.end(), known)
    pending = ''
    return out
  }

  function drop(): number {
    const bytes = Buffer.byteLength(pending) + decoder.end().length
    pending = ''
    return bytes
  }

  return { add, end, drop }
}

/** Control sequences go first: a secret that is interrupted by a colour is a secret still. */
export function safeText(text: string, known: readonly string[]): string {
  return maskedText(text, { multiline: true, known })
}

/** Where an overlong line may be cut: a place at which masking both parts is masking the whole. */
function safeCut(line: string, known: readonly string[]): number {
  const whole = safeText(line, known)
  const last = line.length - overlap
  for (let cut = last; cut > last - overlap; cut -= 509) {
    if (safeText(line.slice(0, cut), known) + safeText(line.slice(cut), known) === whole) return cut
  }
  return last
}
