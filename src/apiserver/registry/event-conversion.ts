// core/v1 Events and events.k8s.io/v1 Events are one thing with two shapes; core's is stored.
// Upstream: pkg/apis/events/v1/conversion.go.

import type { KubeObject } from '../../api/kube-object.ts'
import type { Event } from '../../api/types/core-v1.ts'
import { validateStrictEvent } from '../../api/validation/cluster/event.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import type { Conversion } from './endpoint.ts'

/** events.k8s.io name → core name. */
const RENAMED: Readonly<Record<string, string>> = {
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
}

const BACK = Object.fromEntries(Object.entries(RENAMED).map(([theirs, ours]) => [ours, theirs]))

export function eventConversion(): Conversion {
  const known = new WeakMap<KubeObject, KubeObject>()
  return {
    toStored: object => ({ ...rename(object, RENAMED), apiVersion: 'v1' }) as KubeObject,
    fromStored(object) {
      let converted = known.get(object)
      if (!converted) {
        converted = deepFreeze({ ...rename(object, BACK), apiVersion: 'events.k8s.io/v1' }) as KubeObject
        known.set(object, converted)
      }
      return converted
    },
    validate: (event, old) =>
      validateStrictEvent(event as unknown as Event, old as unknown as Event | undefined),
  }
}

function rename(object: KubeObject, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [names[key] ?? key, value]))
}
