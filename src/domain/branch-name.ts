/** What `git check-ref-format` forbids inside a name, apart from control characters, which have their own reason. */
const forbiddenCharacters = /[ ~^:?*[\\]/
// eslint-disable-next-line no-control-regex -- they are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
/** Bytes: a ref is a file's path, and each part a file's name with `.lock` behind it. */
const longest = 240

/**
 * Why a branch may not have this name, as a phrase to put behind "the branch name", or null when it may: the rules of
 * `git check-ref-format --branch`, and besides no control character of any kind, and not the names git takes for something else.
 */
export function checkBranchName(name: string): string | null {
  if (name === '') return 'is empty'
  if (name.startsWith('-')) return 'starts with "-"'
  if (controlCharacters.test(name)) return 'contains a control character'
  if (loneSurrogate.test(name)) return 'is not valid Unicode'
  if (name === 'HEAD') return 'is "HEAD", which git keeps for itself'
  if (name === '@') return 'is "@", which git keeps for itself'
  const forbidden = forbiddenCharacters.exec(name)
  if (forbidden) return forbidden[0] === ' ' ? 'contains a space' : `contains "${forbidden[0]}"`
  if (name.includes('..')) return 'contains ".."'
  if (name.includes('@{')) return 'contains "@{"'
  if (name.startsWith('/')) return 'starts with "/"'
  if (name.endsWith('/')) return 'ends with "/"'
  if (name.endsWith('.')) return 'ends with "."'
  return checkParts(name)
}

function checkParts(name: string): string | null {
  for (const part of name.split('/')) {
    if (part === '') return 'contains "//"'
    if (part.startsWith('.')) return 'has a part that starts with "."'
    if (part.endsWith('.lock')) return 'has a part that ends with ".lock"'
  }
  return byteLength(name) > longest ? `is longer than ${longest} bytes` : null
}

function byteLength(text: string): number {
  let bytes = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/** Why this is not the full name of a ref (`refs/heads/<name>`, …), or null when it is. */
export function checkRefName(ref: string): string | null {
  const match = /^refs\/(?=.)/.exec(ref)
  if (!match) return 'is not a full ref name'
  if (ref.startsWith('refs/heads/')) return checkBranchName(ref.slice('refs/heads/'.length))
  return checkBranchName(ref.slice('refs/'.length))
}
