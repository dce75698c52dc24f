/** There is no Temporal server to speak to. Exit code 3. */
export class NoServerError extends Error {
  readonly hint: string
  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'NoServerError'
    this.hint = hint
  }
}
