import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export type Service = {
  image?: string
  build?: string
  user?: string
  command?: string[]
  entrypoint?: string[]
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  security_opt?: string[]
  profiles?: string[]
}

export type Compose = { name: string; services: Record<string, Service>; volumes: Record<string, unknown> }

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const composeText = readFileSync(`${root}docker-compose.yml`, 'utf8')

/** The file as written, with its anchors and merges resolved. */
export const writtenCompose = (): unknown => parse(composeText, { merge: true })

/** As Docker would run it: with the values of variables, of which `:?` insists. */
export function readCompose(variables: Record<string, string>): Compose {
  return parse(interpolate(composeText.replace(/^\s*#.*$/gm, ''), variables), { merge: true }) as Compose
}

/** `$VAR`-less subset of the Compose file format: `${A}`, `${A:-default}`, `${A:?message}` and `$$`. */
function interpolate(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}/g, (found, name: string, kind: string, rest: string) => {
    if (found === '$$') return '$'
    const value = variables[name]
    if (value) return value
    if (kind === '-') return rest
    throw new Error(`${name}: ${kind === '?' ? rest : 'is not set'}`)
  })
}

/** `temporalio/server:1.32.0` → `1.32.0`. */
export const tagOf = (image: string): string => image.slice(image.lastIndexOf(':') + 1)
