/** Resolves at the first SIGINT or SIGTERM; a second one ends the program at once. */
export function stopSignal(): { requested: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = false
  const onSignal = () => {
    if (asked) process.exit(130)
    asked = true
    resolve()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { requested: promise }
}
