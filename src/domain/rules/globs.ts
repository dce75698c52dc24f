/**
 * The globs that a pattern of paths stands for, as in `.gitignore`: `secrets/` and `secrets` match all below, `*.pem`
 * without a slash matches the name in any folder.
 */
export function pathGlobs(pattern: string): string[] {
  const trimmed = pattern.replace(/^\.?\//, '').replace(/\/$/, '')
  const anywhere = pattern.replace(/\/$/, '').includes('/') ? trimmed : `**/${trimmed}`
  return [anywhere, `${anywhere}/**`]
}
