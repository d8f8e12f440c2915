// Objects are created only in namespaces that exist and are not going away. Upstream: plugin/namespace/lifecycle.
import { forbidden, notFound, StatusError } from '../../api/status-error.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

export function namespaceLifecycle(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    admit(attributes) {
      const { operation, namespace, resource } = attributes
      if (isResource(attributes, 'namespaces')) {
        if (operation === 'DELETE') checkMortal(attributes)
        return
      }
      if (operation !== 'CREATE' || !resource.namespaced || namespace === undefined) return
      checkAlive(attributes, namespace, lookup)
    },
  }
}

function checkMortal({ name, resource, oldObject }: AdmissionAttributes): void {
  const deleted = name || oldObject?.metadata.name || ''
  if (IMMORTAL.has(deleted)) throw forbidden(resource, deleted, 'this namespace may not be deleted')
}

function checkAlive(attributes: AdmissionAttributes, name: string, lookup: ObjectLookup): void {
  const namespace = lookup.namespace(name)
  if (!namespace) throw notFound({ group: '', resource: 'namespaces' }, name)
  const { phase } = (namespace.status ?? {}) as { phase?: string }
  if (phase !== 'Terminating') return
  const error = refuse(
    attributes,
    `unable to create new content in namespace ${name} because it is being terminated`,
  )
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${name} is being terminated`,
    field: 'metadata.namespace',
  }
  throw new StatusError({ ...error.status, details: { ...error.status.details, causes: [cause] } })
}
