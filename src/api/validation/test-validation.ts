// For table tests: what validation says of a new object, or of a change to one, as lines 'field: message'.
import type { KubeObject } from '../kube-object.ts'
import { validateCreate, validateUpdate } from './validation.ts'

type Parts = Record<string, unknown> & { metadata?: object }

/** A namespace of '' makes a cluster-wide object. */
export function objectOf(apiVersion: string, kind: string, namespace: string, parts: Parts): KubeObject {
  const metadata = { name: 'x', ...(namespace && { namespace }), ...parts.metadata }
  return { apiVersion, kind, ...parts, metadata } as KubeObject
}

export const createErrors = (object: KubeObject): string[] =>
  validateCreate(object, object.metadata.namespace !== undefined).map(
    ({ field, message }) => `${field}: ${message}`,
  )

export const updateErrors = (object: KubeObject, old: KubeObject, subresource = ''): string[] =>
  validateUpdate(object, old, subresource).map(({ field, message }) => `${field}: ${message}`)
