/** Blocks and spans of code, which Markdown shows as they are. */
const code = /((?<!\\)```[^]*?(?:```|$)|(?<!\\)`[^`\n]*`)/

/** What a forge shows of a Markdown text, for a terminal: no escapes, no entities, no comments of HTML. */
export function shownMarkdown(text: string): string {
  return text
    .split(code)
    .map((part, index) => (index % 2 === 1 ? part : unescaped(part)))
    .join('')
}

const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&#64;': '@', '&#8203;': '' }

function unescaped(text: string): string {
  return text
    .replaceAll(/<!--[^]*?-->\n?/g, '')
    .replaceAll(/\\([!-/:-@[-`{-~])|&(?:lt|gt|amp|#64|#8203);/g, (all, escaped?: string) => escaped ?? entities[all]!)
}
