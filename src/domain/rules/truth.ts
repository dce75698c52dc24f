/** Kleene's three values; null is not known. What is not known never becomes true by being turned around. */
export type Truth = boolean | null

export function allOf(values: Truth[]): Truth {
  if (values.includes(false)) return false
  return values.includes(null) ? null : true
}

export function anyOf(values: Truth[]): Truth {
  return not(allOf(values.map(not)))
}

export function not(value: Truth): Truth {
  return value === null ? null : !value
}

/** While it is not known which of the two counts, only what both say is known. */
export function either(condition: Truth, then: Truth, otherwise: Truth): Truth {
  if (condition !== null) return condition ? then : otherwise
  return then === otherwise ? then : null
}
