/**
 * A problem that the person in front of the program can mend. The message is one sentence that says what is
 * wrong and what to do; it is printed as it is, without a stack.
 */
export class PlainError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PlainError'
  }
}
