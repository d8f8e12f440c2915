// The annotation in which kubectl's client-side apply keeps its last configuration; a server-side apply by kubectl
// takes over what stands there, and keeps it up to date for those who go back.
// Upstream: managedfields/internal (lastapplied.go, lastappliedmanager.go, lastappliedupdater.go).
import type { KubeObject } from '../../api/kube-object.ts'
import { deepEqual } from '../registry/deep-equal.ts'
import { paths, pathText } from './field-set.ts'
import type { Shape } from './shape.ts'
import { toFieldSet } from './to-field-set.ts'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Upstream: ValidateAnnotationsSize. */
const MOST_BYTES = 256 * 1024

/** Texts of the paths that the last client-side apply set and that still are as it set them. */
export function allowedByLastApplied(live: KubeObject, shape: Shape): Set<string> {
  const last = lastApplied(live)
  if (!last || last.apiVersion !== live.apiVersion) return new Set()
  return new Set(paths(toFieldSet(last, shape)).map(pathText))
}

function lastApplied({ metadata }: KubeObject): KubeObject | undefined {
  try {
    const text = metadata.annotations?.[LAST_APPLIED]
    return text ? (JSON.parse(text) as KubeObject) : undefined
  } catch {
    // Somebody wrote nonsense into the annotation: then it allows nothing.
    return undefined
  }
}

export function withLastApplied(object: KubeObject, config: KubeObject): KubeObject {
  const text = `${JSON.stringify(config)}\n`
  const annotations = { ...object.metadata.annotations, [LAST_APPLIED]: text }
  // Too large for an annotation: then kubectl goes without, as upstream.
  if (Buffer.byteLength(text) > MOST_BYTES) delete (annotations as Record<string, string>)[LAST_APPLIED]
  if (deepEqual(annotations, object.metadata.annotations)) return object
  return { ...object, metadata: { ...object.metadata, annotations } }
}
