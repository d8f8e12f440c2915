// The runtime's event stream turned into «look at this pod again». Comes back after the stream breaks.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { RuntimeView } from './runtime-view.ts'

const RECONNECT_MS = 200

export interface RuntimeEventsTarget {
  /** Something of this pod changed. */
  podChanged(uid: string): void
  /** Anything may have changed: the stream was interrupted, or an event did not name its pod. */
  anythingChanged(): void
}

/** Runs until the signal aborts. */
export async function watchRuntime(
  runtime: RuntimeService,
  view: Pick<RuntimeView, 'apply' | 'interrupted'>,
  target: RuntimeEventsTarget,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of runtime.getContainerEvents({}, signal)) {
        const uid = view.apply(event)
        if (uid) target.podChanged(uid)
        else target.anythingChanged()
      }
    } catch (error) {
      if (signal.aborted) return
      log.warn({ error }, 'the event stream of the container runtime broke; connecting again')
    }
    view.interrupted()
    await clock.sleep(RECONNECT_MS, signal).catch(() => {})
    if (!signal.aborted) target.anythingChanged()
  }
}
