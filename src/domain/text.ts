/** An escape sequence of a terminal: OSC and other strings up to their end, CSI, and the two-byte ones. */
const escapeSequences =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-~]?/g

/** Controls, line and paragraph separators, and what turns the direction of writing or hides between letters. */
const unsafeCharacters =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

const loneSurrogates = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Makes text from outside safe for a terminal and a log line: no escape sequence, no control character, no reversed
 * writing. Newline and tab stay with `multiline`, and are a space without.
 */
export function plainText(text: string, options: { multiline?: boolean } = {}): string {
  const plain = text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(escapeSequences, '')
    .replaceAll(unsafeCharacters, '')
    .replaceAll(loneSurrogates, '\ufffd')
  return options.multiline ? plain : plain.replaceAll(/[\n\t]+/g, ' ')
}

/** Plain text on one line of at most `max` characters; what was cut off shows as "…". */
export function oneLine(text: string, max: number): string {
  const characters = [...plainText(text).replaceAll(/ +/g, ' ').trim()]
  if (characters.length <= max) return characters.join('')
  return max <= 0
    ? ''
    : `${characters
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`
}

/**
 * Plain text that Markdown shows as it is: no markup, no HTML, no link, no mention, no reference to an issue. Keeps
 * newlines with `multiline`.
 */
export function escapeMarkdown(text: string, options: { multiline?: boolean } = {}): string {
  return (
    plainText(text, options)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll(/[\\`*_{}[\]()#+!|~$-]/g, '\\$&')
      // A backslash doesn't keep forges from linking a mention or an address; an entity and an invisible joint do.
      .replaceAll('@', '&#64;\u200b')
      .replaceAll('://', ':&#8203;//')
      .replaceAll(/\bwww\./gi, '$&\u200b')
      .replaceAll(/^(\s*\d+)\./gm, '$1\\.')
  )
}
