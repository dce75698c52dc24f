import { isUtf8 } from 'node:buffer'

/** A text of which at most this share are control characters is read as text, NUL or not. */
const tolerated = 0.1

/** What a person could read of a blob that git takes for binary. */
export type Readable = { kind: 'text'; text: string } | { kind: 'runs'; text: string }

/**
 * A single NUL makes git call a text binary: such a one is still scanned as text. Of the rest only what is printable
 * counts, byte for byte; of UTF-16, every character that is ASCII.
 */
export function readable(content: Buffer): Readable {
  if (isUtf8(content) && controls(content) <= content.length * tolerated) {
    return { kind: 'text', text: content.toString('utf8') }
  }
  const text = content
    .toString('latin1')
    .replaceAll(/(?:[\t\n\r\x20-\x7e]\0){8,}/g, (wide) => wide.replaceAll('\0', ''))
    .replaceAll(/[^\t\n\r\x20-\x7e]+/g, '\n')
  return { kind: 'runs', text }
}

function controls(content: Buffer): number {
  let count = 0
  for (const byte of content) if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) count += 1
  return count
}
