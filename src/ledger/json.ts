import type { Json } from './schema.ts'

/** What we wrote ourselves, and so is of the type that it was. */
export function parse<Value>(json: Json): Value {
  return JSON.parse(json) as Value
}
