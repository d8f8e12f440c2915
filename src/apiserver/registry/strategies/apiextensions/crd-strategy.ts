// CustomResourceDefinitions. Upstream: apiextensions-apiserver pkg/registry/customresourcedefinition.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { customResourceDefinitions } from '../../../../api/resources.ts'
import { formatTime } from '../../../../api/time.ts'
import type { CustomResourceDefinition } from '../../../../api/types/apiextensions-v1.ts'
import type { WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

/** Held until every object of the kind is gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

const asDefinition = (object: KubeObject) => object as unknown as CustomResourceDefinition

export class CrdStrategy extends DefaultStrategy {
  constructor() {
    super(customResourceDefinitions)
  }

  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    const { spec, status } = asDefinition(object)
    status.storedVersions = spec.versions.filter(({ storage }) => storage).map(({ name }) => name)
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    super.prepareForUpdate(object, old, context)
    const definition = asDefinition(object)
    const stored = definition.spec.versions.find(({ storage }) => storage)?.name
    const known = definition.status?.storedVersions ?? []
    if (stored && !known.includes(stored)) {
      definition.status = { ...definition.status, storedVersions: [...known, stored] }
    }
  }

  holdsDeletion({ metadata }: KubeObject): boolean {
    return metadata.deletionTimestamp === undefined
  }

  markDeleting(object: KubeObject): void {
    const definition = asDefinition(object)
    const finalizers = definition.metadata.finalizers ?? []
    if (!finalizers.includes(CLEANUP_FINALIZER))
      definition.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER]
    const conditions = (definition.status?.conditions ?? []).filter(({ type }) => type !== 'Terminating')
    const terminating = {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime: definition.metadata.deletionTimestamp ?? formatTime(0),
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    }
    definition.status = { ...definition.status, conditions: [...conditions, terminating] }
  }
}
