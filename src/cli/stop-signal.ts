/** The first SIGINT or SIGTERM requests a stop, a second one a quick one; a third ends the program at once. */
export function stopSignal(): { requested: Promise<void>; hurried: AbortSignal } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const hurry = new AbortController()
  let asked = false
  const onSignal = () => {
    if (hurry.signal.aborted) process.exit(130)
    if (asked) hurry.abort()
    asked = true
    resolve()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { requested: promise, hurried: hurry.signal }
}
