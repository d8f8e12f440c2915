// When the change happened that an EndpointSlice or Endpoints object answers to, for the annotation
// endpoints.kubernetes.io/last-change-trigger-time. Upstream: endpointslice/util/trigger_time_tracker.go.
import type { Pod, Service } from '../api/types/core-v1.ts'
import { keyOf } from '../client/lister.ts'

export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'

interface Seen {
  service: number
  pods: ReadonlyMap<string, number>
}

export class TriggerTimes {
  readonly #seen = new Map<string, Seen>()

  /** RFC 3339, or undefined when nothing newer than at the last call is known. */
  compute(service: Service, pods: readonly Pod[]): string | undefined {
    const key = keyOf(service)
    const before = this.#seen.get(key)
    const podTimes = new Map(pods.flatMap(pod => readySince(pod).map(at => [pod.metadata.name, at] as const)))
    const serviceTime = Date.parse(service.metadata.creationTimestamp ?? '') || 0
    const changed = [...podTimes]
      .filter(([name, at]) => at > (before?.pods.get(name) ?? 0))
      .map(([, at]) => at)
    if (serviceTime > (before?.service ?? 0)) changed.push(serviceTime)
    this.#seen.set(key, { service: serviceTime, pods: podTimes })
    return changed.length > 0 ? new Date(Math.min(...changed)).toISOString().replace('.000Z', 'Z') : undefined
  }

  forget(key: string): void {
    this.#seen.delete(key)
  }
}

function readySince({ status }: Pod): number[] {
  const at = Date.parse(status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '')
  return Number.isNaN(at) ? [] : [at]
}

export function withTriggerTime(
  annotations: Record<string, string> | undefined,
  time: string | undefined,
): Record<string, string> {
  const { [TRIGGER_TIME]: _, ...others } = annotations ?? {}
  return time === undefined ? others : { ...others, [TRIGGER_TIME]: time }
}
