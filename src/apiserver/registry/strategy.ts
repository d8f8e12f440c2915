// What differs from resource to resource when objects are made, changed and deleted.
// Upstream: rest.RESTCreateStrategy, RESTUpdateStrategy, RESTDeleteStrategy. The one ResourceStore calls these.
import type { KubeObject } from '../../api/kube-object.ts'
import type { DeleteOptions, UserInfo } from '../../api/request.ts'
import type { FieldErrorLike } from '../../api/status-error.ts'

export interface WriteContext {
  /** Epoch milliseconds. */
  now: number
  user: UserInfo
  dryRun: boolean
  /** Adds a warning to the answer. */
  warn(text: string): void
}

export interface UpdateStrategy {
  /** Resets what this request may not change; bumps the generation. `object` is unfrozen, `old` is frozen. */
  prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void
  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldErrorLike[]
  /** An update without a resourceVersion replaces whatever is there. */
  readonly allowUnconditionalUpdate: boolean
  /** A PUT to a name that does not exist creates. */
  readonly allowCreateOnUpdate: boolean
  /** True when this update finishes a deletion, apart from finalizers and grace that the store itself looks at. */
  deletesOnUpdate?(object: KubeObject): boolean
}

/** Reads one field that a field selector may name. */
export type SelectableField = (object: KubeObject) => string

export interface Strategy extends UpdateStrategy {
  prepareForCreate(object: KubeObject, context: WriteContext): void
  validate(object: KubeObject): readonly FieldErrorLike[]
  warningsOnCreate?(object: KubeObject): readonly string[]
  warningsOnDelete?(options: DeleteOptions): readonly string[]
  /** Normalizes after validation, on create and update. */
  canonicalize?(object: KubeObject): void
  /**
   * True when the object can be deleted gracefully: then `options.gracePeriodSeconds` is set to the grace to give.
   * Absent: never graceful.
   */
  checkGracefulDelete?(object: KubeObject, options: DeleteOptions): boolean
  /** Marks the object when its deletion begins but something still holds it (namespaces: phase Terminating). */
  markDeleting?(object: KubeObject): void
  /** Something besides metadata.finalizers holds a deleted object (namespaces: spec.finalizers). */
  holdsDeletion?(object: KubeObject): boolean
  /** What happens to dependents when the request does not say. Unsupported: GC finalizers are never set. */
  readonly garbageCollection: 'Background' | 'Orphan' | 'Unsupported'
  /** An immediate deletion answers the object, not a Status. */
  readonly returnsDeletedObject: boolean
  /** Besides metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, SelectableField>>
  /** Watchers that ask for one value of this field are found without trying every watcher. */
  readonly indexedField?: string
  /** Takes things that the object needs (addresses, ports) before it is stored; the answer is called after that. */
  beginCreate?(object: KubeObject, context: WriteContext): Promise<Finish> | Finish
  /** As beginCreate, before a change is stored. */
  beginUpdate?(object: KubeObject, old: KubeObject, context: WriteContext): Promise<Finish> | Finish
  afterDelete?(object: KubeObject): Promise<void> | void
  readonly status?: UpdateStrategy
}

/** Called when the write is over, whether it came about or not: keeps or gives back what the begin step took. */
export type Finish = () => Promise<void> | void

export const nothingToFinish: Finish = () => {}
