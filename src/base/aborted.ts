const NEVER = new AbortController().signal

/** Resolves when the first signal aborts; the second only ends the listening. */
export function aborted(signal: AbortSignal, ending: AbortSignal = NEVER): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true, signal: ending })
  })
}
