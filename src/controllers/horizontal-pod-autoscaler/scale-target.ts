// Reads and writes the scale of what an autoscaler is about, whatever kind it is.
import type { KubeObject, Resource } from '../../api/kube-object.ts'
import type { Scale } from '../../api/types/autoscaling-v1.ts'
import type { HorizontalPodAutoscaler } from '../../api/types/autoscaling-v2.ts'
import type { Client } from '../../client/client.ts'
import { type ResourceCatalog, resourceOfKind } from '../../client/resource-catalog.ts'
import { groupOf } from './metrics-client.ts'

export interface ScaleTarget {
  resource: Resource<KubeObject>
  scale: Scale
}

/** Throws when there is no such kind or no such object, or when it cannot be scaled. */
export async function readScaleTarget(
  { metadata: { namespace = '' }, spec: { scaleTargetRef } }: HorizontalPodAutoscaler,
  { client, catalog }: { client: Client; catalog: ResourceCatalog },
): Promise<ScaleTarget> {
  const { kind, name, apiVersion = '' } = scaleTargetRef
  const resource = resourceOfKind(catalog.list(), { apiVersion, kind })
  if (!resource) throw new Error(`no matches for kind "${kind}" in group "${groupOf(apiVersion)}"`)
  const scale = await client.get(resource as Resource<Scale>, { name, namespace }, { subresource: 'scale' })
  return { resource, scale }
}

export async function writeScale(
  client: Client,
  { resource, scale }: ScaleTarget,
  replicas: number,
): Promise<void> {
  const wanted = { ...scale, spec: { ...scale.spec, replicas } }
  await client.update(resource as unknown as Resource<Scale>, wanted, { subresource: 'scale' })
}
