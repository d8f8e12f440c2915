/** Lets I/O and whatever else waits for the event loop have its turn; long work calls it between its steps. */
export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
