// Upstream: pkg/registry/core/namespace/strategy.go and storage/storage.go (deletion waits for spec.finalizers).
import type { KubeObject } from '../../../../api/kube-object.ts'
import { namespaces } from '../../../../api/resources.ts'
import type { FieldErrorLike } from '../../../../api/status-error.ts'
import type { Namespace } from '../../../../api/types/core-v1.ts'
import type { UpdateStrategy } from '../../strategy.ts'
import { carryField, DefaultStrategy } from '../default-strategy.ts'

const KUBERNETES_FINALIZER = 'kubernetes'
/** Set on every namespace, so that selectors can name it. */
const NAME_LABEL = 'kubernetes.io/metadata.name'

const asNamespace = (object: KubeObject) => object as unknown as Namespace

export class NamespaceStrategy extends DefaultStrategy {
  /** namespaces/finalize. */
  readonly finalize: UpdateStrategy = new FinalizeStrategy()

  constructor() {
    super(namespaces)
  }

  override prepareForCreate(object: KubeObject): void {
    const namespace = asNamespace(object)
    namespace.status = { phase: 'Active' }
    const finalizers = namespace.spec?.finalizers ?? []
    if (!finalizers.includes(KUBERNETES_FINALIZER)) {
      namespace.spec = { ...namespace.spec, finalizers: [...finalizers, KUBERNETES_FINALIZER] }
    }
  }

  canonicalize({ metadata }: KubeObject): void {
    metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name }
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject): void {
    carryField(object, old, 'spec')
    carryField(object, old, 'status')
  }

  holdsDeletion(object: KubeObject): boolean {
    return (asNamespace(object).spec?.finalizers ?? []).length > 0
  }

  markDeleting(object: KubeObject): void {
    const namespace = asNamespace(object)
    namespace.status = { ...namespace.status, phase: 'Terminating' }
  }
}

class FinalizeStrategy implements UpdateStrategy {
  readonly allowUnconditionalUpdate = true
  readonly allowCreateOnUpdate = false

  prepareForUpdate(object: KubeObject, old: KubeObject): void {
    carryField(object, old, 'status')
  }

  validateUpdate(object: KubeObject): readonly FieldErrorLike[] {
    return (asNamespace(object).spec?.finalizers ?? []).flatMap((finalizer, index) =>
      finalizer === KUBERNETES_FINALIZER || finalizer.includes('/')
        ? []
        : [
            {
              reason: 'FieldValueInvalid',
              field: `spec.finalizers[${index}]`,
              message: `Invalid value: ${JSON.stringify(finalizer)}: name is neither a standard finalizer name nor is it fully qualified`,
            },
          ],
    )
  }
}
