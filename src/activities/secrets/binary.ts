import { isUtf8 } from 'node:buffer'

/** A text of which at most this share are control characters is read as text, NUL or not. */
const tolerated = 0.1
const partLength = 96 * 1024
/** What a part has in common with the next, so that a secret across their border is in one of them. */
const overlap = 16 * 1024

/** A single NUL makes git call a text binary; for us it still is a text. */
export function looksLikeText(content: Buffer): boolean {
  return isUtf8(content) && controls(content) <= content.length * tolerated
}

/** What is printable of a blob, byte for byte; of UTF-16, every character that is ASCII. In parts, to take turns. */
export function* printableParts(content: Buffer): Generator<string> {
  for (let start = 0; start === 0 || start + overlap < content.length; start += partLength - overlap) {
    yield content
      .subarray(start, start + partLength)
      .toString('latin1')
      .replaceAll(/(?:[\t\n\r\x20-\x7e]\0){8,}/g, (wide) => wide.replaceAll('\0', ''))
      .replaceAll(/[^\t\n\r\x20-\x7e]+/g, '\n')
  }
}

function controls(content: Buffer): number {
  let count = 0
  for (let at = 0; at < content.length; at += 1) {
    const byte = content[at] ?? 0
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) count += 1
  }
  return count
}
