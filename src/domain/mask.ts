import { findSecrets } from './secret-patterns.ts'
import { plainText } from './text.ts'

/** Shorter known values are words: masking them would only garble the text. */
const shortestKnown = 6
const mark = '****'

/** What may be shown of a secret: at most 4 characters, at most a quarter of it. */
export function maskValue(value: string): string {
  const visible = value.slice(0, Math.min(4, Math.floor(value.length / 4)))
  return `${visible.replace(/[^\x21-\x7e]/g, '')}${mark}`
}

/**
 * The text without secrets: `known` values (raw, JSON-escaped, base64 at any alignment, URL-encoded; values of fewer
 * than 6 characters are skipped), and whatever looks like a secret. Masking twice is masking once. Linear in the text.
 */
export function maskSecrets(text: string, known: readonly string[] = []): string {
  let masked = text
  for (const form of knownForms(known)) {
    if (masked.includes(form.text)) masked = masked.replaceAll(form.text, form.shown)
  }
  let result = ''
  let position = 0
  for (const { start, end } of findSecrets(masked, 'mask')) {
    result += masked.slice(position, start) + maskValue(masked.slice(start, end))
    position = end
  }
  return result + masked.slice(position)
}

/** Plain text without secrets. Plain first: what is not shown could part a secret, so that it is not known for one. */
export function maskedText(
  text: string,
  { multiline = false, known = [] }: { multiline?: boolean; known?: readonly string[] } = {},
): string {
  return maskSecrets(plainText(text, { multiline }), known)
}

type Form = { text: string; shown: () => string }

/** Longest first, so that a value inside another one does not leave the rest of it behind. */
function knownForms(known: readonly string[]): Form[] {
  const forms = new Map<string, string>()
  for (const value of known.flatMap((whole) => [whole, ...linesOf(whole)])) {
    if (value.length < shortestKnown) continue
    forms.set(value, maskValue(value))
    for (const encoded of encodings(value)) if (!forms.has(encoded)) forms.set(encoded, mark)
  }
  return [...forms].toSorted(([a], [b]) => b.length - a.length).map(([text, shown]) => ({ text, shown: () => shown }))
}

/** A known value of several lines, such as a key, may be printed line by line. */
function linesOf(value: string): string[] {
  if (!/[\r\n]/.test(value)) return []
  return value
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line.length >= 16 && !line.startsWith('-----'))
}

function encodings(value: string): string[] {
  const bytes = utf8(value)
  const url = percentEncoded(bytes)
  const lenient = lenientlyEncoded(value)
  const forms = [url, url.toLowerCase(), lenient, JSON.stringify(value).slice(1, -1)]
  forms.push(url.replaceAll('%20', '+'), lenient.replaceAll('%20', '+'))
  for (const alignment of [0, 1, 2]) {
    const encoded = base64Within(bytes, alignment)
    if (encoded.length >= shortestKnown) forms.push(encoded, encoded.replaceAll('+', '-').replaceAll('/', '_'))
  }
  return forms.filter((form) => form !== value && form.length >= shortestKnown)
}

/** Everything but RFC 3986's unreserved characters, as a strict encoder writes it. */
function percentEncoded(bytes: readonly number[]): string {
  return bytes
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[\w.~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

/** As `encodeURIComponent` writes it, which leaves `!'()*` alone. */
function lenientlyEncoded(value: string): string {
  return encodeURIComponent(value.toWellFormed())
}

function utf8(value: string): number[] {
  const bytes: number[] = []
  for (const part of lenientlyEncoded(value).matchAll(/%([0-9A-F]{2})|[^%]/g)) {
    bytes.push(part[1] === undefined ? part[0].charCodeAt(0) : Number.parseInt(part[1], 16))
  }
  return bytes
}

const base64Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * The base64 digits that `bytes` alone decides when `before` (0–2) other bytes stand before them: what of a secret is
 * certain inside a longer encoded text, such as `user:secret`.
 */
function base64Within(bytes: readonly number[], before: number): string {
  const bits = (before * 8 + bytes.length * 8) / 6
  let digits = ''
  for (let digit = Math.ceil((before * 8) / 6); digit < Math.floor(bits); digit += 1) {
    let value = 0
    for (let bit = digit * 6; bit < digit * 6 + 6; bit += 1) {
      const byte = bytes[Math.floor(bit / 8) - before] ?? 0
      value = value * 2 + ((byte >> (7 - (bit % 8))) & 1)
    }
    digits += base64Digits[value] ?? ''
  }
  return digits
}
