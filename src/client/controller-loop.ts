// The loop that controllers share: take a key, reconcile it, bring it back later if it failed or asks for it.
import type { Log } from '../base/log.ts'
import type { WorkQueue } from './workqueue.ts'

/** Thrown by a reconciler: trying again cannot help until the object changes. */
export class TerminalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TerminalError'
  }
}

/** Come back to this key after so many milliseconds, without counting as a failure. */
export interface Requeue {
  requeueAfterMs: number
}

/** Makes the world fit the object with this key. Throws to be tried again with back-off. */
// biome-ignore lint/suspicious/noConfusingVoidType: most reconcilers return nothing
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Requeue | void>

export interface ReconcilerOptions {
  /** Shut down when the signal aborts. */
  queue: WorkQueue<string>
  reconcile: Reconcile
  /** How many keys are worked on at once; one key never twice at once. Default 1. */
  concurrency?: number
  signal: AbortSignal
  log: Log
}

/** What a controller waits for before it judges: an informer, or something that behaves as one. */
export interface Informed {
  run(signal: AbortSignal): Promise<void>
  readonly synced: Promise<void>
}

export interface ControllerOptions extends ReconcilerOptions {
  informers: readonly Informed[]
}

/**
 * Runs the informers and, when each has its first list, the reconciler: what is missing in a lister is missing.
 * Resolves when the signal has aborted and all of them have come back.
 */
export async function runController({ informers, ...options }: ControllerOptions): Promise<void> {
  await runInformed(informers, options.signal, () => runReconciler(options))
}

/** The same for other work than one reconciler. It is begun, too, when the signal aborts before the lists are there. */
export async function runInformed(
  informers: readonly Informed[],
  signal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  const running = informers.map(informer => informer.run(signal))
  await Promise.race([Promise.all(informers.map(({ synced }) => synced)), ...running])
  await Promise.all([...running, work()])
}

/** Resolves when the signal has aborted and every reconcile under way has come back. */
export async function runReconciler(options: ReconcilerOptions): Promise<void> {
  const { queue, signal, concurrency = 1 } = options
  const stop = () => queue.shutDown()
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  await Promise.all(Array.from({ length: concurrency }, () => work(options)))
  signal.removeEventListener('abort', stop)
}

async function work(options: ReconcilerOptions): Promise<void> {
  const { queue, signal } = options
  for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
    if (!signal.aborted) await reconcileOnce(key, options)
    queue.done(key)
  }
}

async function reconcileOnce(
  key: string,
  { queue, reconcile, signal, log }: ReconcilerOptions,
): Promise<void> {
  try {
    const result = await reconcile(key, signal)
    queue.forget(key)
    if (result) queue.addAfter(key, result.requeueAfterMs)
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof TerminalError) {
      queue.forget(key)
      log.error({ key, error }, 'reconcile failed for good')
      return
    }
    log.warn({ key, error, requeues: queue.requeues(key) }, 'reconcile failed; trying again')
    queue.addRateLimited(key)
  }
}
