// The runtime's event stream turned into «look at this pod again». Comes back after the stream breaks.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ContainerEventResponse, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { LABEL } from './cri-labels.ts'

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
  target: RuntimeEventsTarget,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of runtime.getContainerEvents({}, signal)) dispatch(event, target)
    } catch (error) {
      if (signal.aborted) return
      log.warn({ error }, 'the event stream of the container runtime broke; connecting again')
    }
    await clock.sleep(RECONNECT_MS, signal).catch(() => {})
    if (!signal.aborted) target.anythingChanged()
  }
}

function dispatch(event: ContainerEventResponse, target: RuntimeEventsTarget): void {
  const { podSandboxStatus, containersStatuses } = event
  const uid =
    podSandboxStatus?.metadata.uid ||
    podSandboxStatus?.labels[LABEL.podUid] ||
    containersStatuses.find(status => status.labels[LABEL.podUid])?.labels[LABEL.podUid]
  if (uid) target.podChanged(uid)
  else target.anythingChanged()
}
