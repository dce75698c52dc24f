/** PostgreSQL keeps no NUL in a text, and what a person wrote must read the same from every store. */
export function storable<Value>(value: Value): Value | string {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
}
