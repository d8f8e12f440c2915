// The shape every API object shares. Kinds have their own types in ./types (generated).
import type { ObjectMeta } from './types/meta-v1.ts'

/** Any Kubernetes object. Objects read from the store or a client are deep-frozen: copy before changing. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

/**
 * What create and update accept: apiVersion and kind may be left out, the resource implies them; so may status
 * and the metadata that the server fills in.
 */
export type Draft<T> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status'> & {
  apiVersion?: string
  kind?: string
  /** `name` is empty when generateName is to make it. */
  metadata: Partial<ObjectMeta> & { name: string }
  status?: T extends { status?: infer S } ? S : never
}

export interface KubeList<T> {
  apiVersion: string
  kind: string
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: T[]
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** Carries only kind, apiVersion, metadata.resourceVersion (and the annotation that ends initial events). */
  | { type: 'BOOKMARK'; object: T }

/**
 * Names a resource and, at compile time, the type of its objects.
 * Instances for every built-in resource are in ./resources.ts.
 */
export interface Resource<T = KubeObject> {
  /** '' for the core group. */
  group: string
  version: string
  /** Plural, lower case, as in URLs: 'pods'. */
  resource: string
  kind: string
  namespaced: boolean
  /** Never set; carries T through inference. */
  readonly object?: T
}
