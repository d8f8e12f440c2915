// What serves every kind that has no strategy of its own: status is set only through its subresource, spec only
// outside of it, and the generation counts changes of the spec.
import type { KubeObject } from '../../../api/kube-object.ts'
import type { ResourceInfo } from '../../../api/resources.ts'
import { decodeObject } from '../../../api/schema/decode-object.ts'
import { type FieldErrorLike, qualifiedName } from '../../../api/status-error.ts'
import { validateCreate, validateUpdate } from '../../../api/validation/validation.ts'
import { deepEqual } from '../deep-equal.ts'
import type { SelectableField, Strategy, UpdateStrategy, WriteContext } from '../strategy.ts'
import * as facts from './resource-facts.ts'
import { selectableFields } from './selectable-fields.ts'

export class DefaultStrategy implements Strategy {
  readonly info: ResourceInfo
  readonly allowUnconditionalUpdate: boolean
  readonly allowCreateOnUpdate: boolean
  readonly garbageCollection: 'Background' | 'Orphan' | 'Unsupported'
  readonly returnsDeletedObject: boolean
  readonly selectableFields: Readonly<Record<string, SelectableField>>
  readonly status: UpdateStrategy | undefined
  readonly #hasGeneration: boolean
  readonly #annotationsCount: boolean
  readonly #keepsStatusOnCreate: boolean
  /** What a status is before anyone has written it: the type's zero value. */
  readonly #emptyStatus: unknown

  constructor(info: ResourceInfo) {
    const name = qualifiedName(info)
    this.info = info
    this.selectableFields = selectableFields[name] ?? {}
    this.allowCreateOnUpdate = facts.createdByUpdate.has(name)
    this.allowUnconditionalUpdate = !facts.updatedByVersionOnly.has(name)
    this.garbageCollection = facts.orphansByDefault.has(name)
      ? 'Orphan'
      : info.resource === 'events'
        ? 'Unsupported'
        : 'Background'
    this.returnsDeletedObject = facts.answersDeletedObject.has(name)
    this.#hasGeneration = facts.withGeneration.has(name)
    this.#annotationsCount = facts.annotationsCount.has(name)
    this.#keepsStatusOnCreate = facts.createdWithStatus.has(name)
    this.#emptyStatus = emptyStatusOf(info)
    const hasStatus = info.subresources.some(subresource => subresource.name === 'status')
    this.status = hasStatus ? new StatusStrategy(this.allowUnconditionalUpdate) : undefined
  }

  prepareForCreate(object: KubeObject, _context: WriteContext): void {
    if (this.#hasGeneration) object.metadata.generation = 1
    if (this.status && !this.#keepsStatusOnCreate) this.resetStatus(object)
  }

  /** Puts the zero value in place of whatever the client sent. */
  protected resetStatus(object: KubeObject): void {
    if (this.#emptyStatus === undefined) delete object.status
    else object.status = structuredClone(this.#emptyStatus)
  }

  prepareForUpdate(object: KubeObject, old: KubeObject, _context: WriteContext): void {
    if (this.status) carryField(object, old, 'status')
    if (this.#hasGeneration && this.asksForSomethingElse(object, old)) {
      object.metadata.generation = (old.metadata.generation ?? 0) + 1
    }
  }

  protected asksForSomethingElse(object: KubeObject, old: KubeObject): boolean {
    if (
      this.#annotationsCount &&
      !deepEqual(object.metadata.annotations ?? {}, old.metadata.annotations ?? {})
    )
      return true
    const { metadata: _new, status: _newStatus, ...wanted } = object
    const { metadata: _old, status: _oldStatus, ...before } = old
    return !deepEqual(wanted, before)
  }

  validate(object: KubeObject): readonly FieldErrorLike[] {
    return validateCreate(object, this.info.namespaced)
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldErrorLike[] {
    return validateUpdate(object, old)
  }
}

/** Updates through /status: status changes, and labels and annotations may; nothing else. */
export class StatusStrategy implements UpdateStrategy {
  readonly allowUnconditionalUpdate: boolean
  readonly allowCreateOnUpdate = false

  constructor(allowUnconditionalUpdate: boolean) {
    this.allowUnconditionalUpdate = allowUnconditionalUpdate
  }

  prepareForUpdate(object: KubeObject, old: KubeObject, _context: WriteContext): void {
    for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
      if (field !== 'status' && field !== 'metadata') carryField(object, old, field)
    }
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldErrorLike[] {
    return validateUpdate(object, old, 'status')
  }
}

export function carryField(object: KubeObject, old: KubeObject, field: string): void {
  if (old[field] === undefined) delete object[field]
  else object[field] = old[field]
}

function emptyStatusOf({ group, version, kind }: ResourceInfo): unknown {
  const apiVersion = group ? `${group}/${version}` : version
  return decodeObject({ metadata: {} }, apiVersion, kind).object.status
}
