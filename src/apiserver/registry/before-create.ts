// Steps that every create takes, whatever the resource, and what is said when its name is taken.
// Upstream: rest/create.go BeforeCreate, CheckGeneratedNameError.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { alreadyExists, badRequest, StatusError } from '../../api/status-error.ts'
import { formatTime } from './object-time.ts'

/** Sets what only the server may set. `namespace` is the request's; undefined for cluster-scoped resources. */
export function fillSystemFields(
  object: KubeObject,
  namespace: string | undefined,
  { namespaced }: ResourceInfo,
  now: number,
): void {
  const { metadata } = object
  placeInNamespace(object, namespace, namespaced)
  if (metadata.resourceVersion && metadata.resourceVersion !== '0') {
    throw new StatusError({
      code: 500,
      message: 'resourceVersion should not be set on objects to be created',
    })
  }
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
  delete metadata.generation
  metadata.uid = crypto.randomUUID()
  metadata.creationTimestamp = formatTime(now)
  // The store stamps it; until then the field must not be there (dry run).
  delete (metadata as Partial<KubeObject['metadata']>).resourceVersion
}

function placeInNamespace(
  { metadata }: KubeObject,
  namespace: string | undefined,
  isNamespaced: boolean,
): void {
  if (isNamespaced) {
    if (metadata.namespace && metadata.namespace !== namespace) throw namespaceMismatch()
    metadata.namespace = namespace
  } else {
    if (metadata.namespace) throw namespaceMismatch()
    delete metadata.namespace
  }
}

function namespaceMismatch(): StatusError {
  return badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** `current` is who has the name: it may be on its way out. */
export function nameTaken(info: ResourceInfo, current: KubeObject | undefined): StatusError {
  const error = alreadyExists(info, current?.metadata.name ?? '')
  if (!current?.metadata.deletionTimestamp) return error
  return new StatusError({ ...error.status, message: `object is being deleted: ${error.status.message}` })
}

/** Upstream: NewGenerateNameConflict. */
export function noFreeName(info: ResourceInfo, name: string): StatusError {
  const error = alreadyExists(info, name)
  return new StatusError({
    ...error.status,
    message: `${error.status.message}, the server was not able to generate a unique name for the object`,
    details: { ...error.status.details, retryAfterSeconds: 1 },
  })
}
