// One round of emptying a namespace: asks for the deletion of everything in it and says what is left.
// Upstream: namespaced_resources_deleter.go deleteAllContent, with ordered deletion: Pods go before all else.
import type { KubeList, KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { isMethodNotAllowed, isNotFound } from '../../api/status-error.ts'
import type { Namespace, Pod } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'

/** How long the garbage collector and other finalizers may take, when nothing else is known. */
const FINALIZER_ESTIMATE_SECONDS = 15

export interface Remains {
  resource: ResourceInfo
  list: KubeList<KubeObject>
}

export interface Round {
  remains: Remains[]
  /** Texts of failures. */
  errors: string[]
  /** When it makes sense to look again, at the latest. */
  estimateSeconds: number
}

export interface RoundParts {
  client: Client
  resources: readonly ResourceInfo[]
  now: number
}

export async function deleteContent(parts: RoundParts, namespace: Namespace): Promise<Round> {
  const round: Round = { remains: [], errors: [], estimateSeconds: 0 }
  const deletable = parts.resources.filter(({ namespaced, verbs }) => namespaced && verbs.includes('delete'))
  const isPods = ({ group, resource }: ResourceInfo) => group === '' && resource === 'pods'
  for (const resource of deletable.filter(isPods)) await deleteAll(parts, namespace, resource, round)
  if (round.remains.length > 0) return round
  for (const resource of deletable) {
    if (!isPods(resource)) await deleteAll(parts, namespace, resource, round)
  }
  return round
}

async function deleteAll(
  { client, now }: RoundParts,
  { metadata }: Namespace,
  resource: ResourceInfo,
  round: Round,
): Promise<void> {
  const namespace = metadata.name
  try {
    const before = await client.list(resource, { namespace })
    if (before.items.length === 0) return
    await askForDeletion(client, namespace, resource, before.items)
    const list = await client.list(resource, { namespace })
    if (list.items.length === 0) return
    round.remains.push({ resource, list })
    const age = now - Date.parse(metadata.deletionTimestamp!)
    const estimate = estimateSeconds(resource, before.items, age) || finalizerEstimate(list.items)
    round.estimateSeconds = Math.max(round.estimateSeconds, estimate)
    if (estimate === 0) round.errors.push(unexpected(namespace, resource))
  } catch (error) {
    if (isNotFound(error) || isMethodNotAllowed(error)) return
    round.errors.push(error instanceof Error ? error.message : String(error))
  }
}

async function askForDeletion(
  client: Client,
  namespace: string,
  resource: ResourceInfo,
  items: readonly KubeObject[],
): Promise<void> {
  const options = { propagationPolicy: 'Background' } as const
  if (resource.verbs.includes('deletecollection')) {
    await client.deleteCollection(resource, { namespace }, options)
    return
  }
  for (const { metadata } of items) {
    await client.delete(resource, { namespace, name: metadata.name }, options).catch(error => {
      if (!isNotFound(error)) throw error
    })
  }
}

/** The longest grace of Pods that still run; 0 when it should be over. Upstream: estimateGracefulTermination. */
function estimateSeconds(resource: ResourceInfo, items: readonly KubeObject[], ageMs: number): number {
  if (resource.group !== '' || resource.resource !== 'pods') return 0
  const graces = (items as unknown as readonly Pod[])
    .filter(({ status: { phase } }) => phase !== 'Succeeded' && phase !== 'Failed')
    .map(({ spec }) => spec.terminationGracePeriodSeconds ?? 0)
  const longest = Math.max(0, ...graces)
  return ageMs >= longest * 1_000 ? 0 : longest
}

function finalizerEstimate(items: readonly KubeObject[]): number {
  return items.some(({ metadata }) => metadata.finalizers?.length) ? FINALIZER_ESTIMATE_SECONDS : 0
}

function unexpected(namespace: string, { group, version, resource }: ResourceInfo): string {
  return `unexpected items still remain in namespace: ${namespace} for gvr: ${group}/${version}, Resource=${resource}`
}
