const secretName = /token|secret|passw|credential|private|api_?key|access_?key|auth/i
const MIN_LENGTH = 8

/** Values of the environment that logs never show, by the name of their variable. */
export function secretValues(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= MIN_LENGTH && secretName.test(name) && !value.startsWith('/') ? [value] : [],
  )
}
