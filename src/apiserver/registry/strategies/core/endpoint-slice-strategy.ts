// EndpointSlices of version 1: labels count as a change, and the topology of version 1beta1 is not taken any more.
// Upstream: pkg/registry/discovery/endpointslice/strategy.go.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { deepEqual } from '../../deep-equal.ts'
import type { WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

interface WithEndpoints {
  endpoints?: { deprecatedTopology?: unknown }[]
}

export class EndpointSliceStrategy extends DefaultStrategy {
  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    dropTopology(object)
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    super.prepareForUpdate(object, old, context)
    // What was stored before stays as long as nobody touches the endpoints.
    if (!deepEqual(object.endpoints, old.endpoints)) dropTopology(object)
  }

  protected override asksForSomethingElse(object: KubeObject, old: KubeObject): boolean {
    return (
      super.asksForSomethingElse(object, old) ||
      !deepEqual(object.metadata.labels ?? {}, old.metadata.labels ?? {})
    )
  }
}

function dropTopology(slice: KubeObject & WithEndpoints): void {
  if (!slice.endpoints?.some(({ deprecatedTopology }) => deprecatedTopology !== undefined)) return
  slice.endpoints = slice.endpoints.map(({ deprecatedTopology: _, ...endpoint }) => endpoint)
}
