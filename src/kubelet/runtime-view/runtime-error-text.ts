/** What a failed call to the runtime says, without the code that gRPC clients put before it. */
export function runtimeErrorText(error: unknown): string {
  const { details, message } = error as { details?: unknown; message?: string }
  return typeof details === 'string' && details !== '' ? details : (message ?? String(error))
}
