/** For the exhaustive end of a `switch`: a new case that nobody handles does not compile. */
export function never(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`)
}
