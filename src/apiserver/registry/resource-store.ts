// Create, get, update and delete of one resource over the store, the same way for every resource; what differs is
// the strategy's. Upstream: generic/registry/store.go with rest/create.go, update.go and delete.go. Lists and
// watches are in resource-reader.ts.

import type { KubeObject } from '../../api/kube-object.ts'
import type { DeleteOptions } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { conflict, type FieldErrorLike, invalid, notFound } from '../../api/status-error.ts'
import type { PassiveClock } from '../../base/clock.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import type { Storage, Stored } from '../../storage/storage.ts'
import { fillSystemFields, nameTaken, noFreeName } from './before-create.ts'
import { decideDelete } from './before-delete.ts'
import { carrySystemFields, checkVersion } from './before-update.ts'
import { deepEqual } from './deep-equal.ts'
import { generateName } from './names.ts'
import { nothingToFinish, type Strategy, type UpdateStrategy, type WriteContext } from './strategy.ts'

/** Tries at a free generated name. Upstream: maxNameGenerationCreateAttempts. */
const NAME_ATTEMPTS = 8

/** Looks at the object last, before it is written. Throws StatusError. */
export type Admit = (object: KubeObject, old: KubeObject | undefined) => Promise<void> | void

export interface CreateCall {
  /** Of the request; undefined for cluster-scoped resources. */
  namespace: string | undefined
  context: WriteContext
  validate: Admit
}

export interface UpdateCall extends CreateCall {
  name: string
  /** Makes the new object, unfrozen, from what is stored; called again when another write came between. */
  transform(existing: KubeObject): Promise<KubeObject> | KubeObject
  /** Makes the object when there is none, where the strategy allows it. */
  transformMissing?(): Promise<KubeObject> | KubeObject
  /** As server-side apply does: whatever the strategy says. */
  createsMissing?: boolean
  validateCreate?: Admit
  /** Default: the resource's own strategy. */
  strategy?: UpdateStrategy
  /** Conflicts to bear before giving up; default: no end, as every conflict means that another one won. */
  attempts?: number
}

export interface DeleteCall {
  namespace: string | undefined
  name: string
  options: DeleteOptions
  context: WriteContext
  validate?: Admit
}

export interface UpdateResult {
  object: KubeObject
  created: boolean
}

export interface DeleteResult {
  /** The last state seen. */
  object: KubeObject
  /** False: it is terminating, and stays for now. */
  removed: boolean
}

export class ResourceStore {
  readonly info: ResourceInfo
  readonly strategy: Strategy
  readonly prefix: string
  readonly #storage: Storage
  readonly #clock: PassiveClock

  constructor(parts: {
    info: ResourceInfo
    strategy: Strategy
    prefix: string
    storage: Storage
    clock: PassiveClock
  }) {
    this.info = parts.info
    this.strategy = parts.strategy
    this.prefix = parts.prefix
    this.#storage = parts.storage
    this.#clock = parts.clock
  }

  key(namespace: string | undefined, name: string): string {
    return this.info.namespaced ? `${this.prefix}${namespace}/${name}` : this.prefix + name
  }

  find(namespace: string | undefined, name: string): Stored | undefined {
    return this.#storage.get(this.key(namespace, name))
  }

  /** Throws NotFound. */
  get(namespace: string | undefined, name: string): Stored {
    const stored = this.find(namespace, name)
    if (!stored) throw notFound(this.info, name)
    return stored
  }

  /** `object` is unfrozen and becomes the store's. */
  async create(object: KubeObject, call: CreateCall): Promise<KubeObject> {
    const base = object.metadata.generateName
    const generated = !object.metadata.name && base ? base : undefined
    fillSystemFields(object, call.namespace, this.info, this.#clock.now())
    for (let attempt = 1; ; attempt++) {
      // The store may have frozen what it refused.
      const draft = attempt === 1 ? object : structuredClone(object)
      if (generated !== undefined) draft.metadata.name = generateName(generated)
      const result = await this.#tryCreate(draft, call, attempt === 1)
      if (result.ok) return result.object
      if (generated === undefined) throw nameTaken(this.info, result.current?.object)
      if (attempt === NAME_ATTEMPTS) throw noFreeName(this.info, draft.metadata.name)
    }
  }

  async #tryCreate(
    object: KubeObject,
    { namespace, context, validate }: CreateCall,
    first: boolean,
  ): Promise<{ ok: true; object: KubeObject } | { ok: false; current: Stored | undefined }> {
    const { strategy } = this
    if (first) strategy.prepareForCreate(object, context)
    const finish = (await strategy.beginCreate?.(object, context)) ?? nothingToFinish
    try {
      this.#throwInvalid(object, strategy.validate(object))
      for (const text of strategy.warningsOnCreate?.(object) ?? []) context.warn(text)
      strategy.canonicalize?.(object)
      await validate(object, undefined)
      const key = this.key(namespace, object.metadata.name)
      if (context.dryRun) {
        const current = this.#storage.get(key)
        return current ? { ok: false, current } : { ok: true, object: deepFreeze(object) }
      }
      const result = await this.#storage.create(key, object)
      return result.ok ? { ok: true, object: result.stored.object } : result
    } finally {
      await finish()
    }
  }

  async update(call: UpdateCall): Promise<UpdateResult> {
    const { namespace, name, attempts = Number.POSITIVE_INFINITY } = call
    const strategy = call.strategy ?? this.strategy
    for (let attempt = 1; ; attempt++) {
      const existing = this.find(namespace, name)
      if (!existing) {
        const mayCreate = strategy.allowCreateOnUpdate || call.createsMissing
        if (!mayCreate || !call.transformMissing) throw notFound(this.info, name)
        return { object: await this.#createOnUpdate(call, await call.transformMissing()), created: true }
      }
      const object = await this.#tryUpdate(existing, strategy, call)
      if (object) return { object, created: false }
      if (attempt >= attempts) throw conflict(this.info, name)
    }
  }

  #createOnUpdate(call: UpdateCall, object: KubeObject): Promise<KubeObject> {
    // Whatever version the client has seen is gone with the object.
    object.metadata.resourceVersion = ''
    return this.create(object, { ...call, validate: call.validateCreate ?? call.validate })
  }

  /** undefined: another write came between. Throws Conflict when the caller asked for a version that is not there. */
  async #tryUpdate(
    existing: Stored,
    strategy: UpdateStrategy,
    call: UpdateCall,
  ): Promise<KubeObject | undefined> {
    const { context } = call
    const old = existing.object
    const object = await call.transform(old)
    checkVersion(object, old, strategy, this.info)
    carrySystemFields(object, old)
    strategy.prepareForUpdate(object, old, context)
    const finish = (await this.strategy.beginUpdate?.(object, old, context)) ?? nothingToFinish
    try {
      this.#throwInvalid(object, strategy.validateUpdate(object, old))
      this.strategy.canonicalize?.(object)
      await call.validate(object, old)
      object.metadata.resourceVersion = old.metadata.resourceVersion
      if (this.#finishesDeletion(object, old, strategy))
        return await this.#finishDeletion(existing, object, context)
      if (deepEqual(object, old)) return old
      if (context.dryRun) return deepFreeze(object)
      const result = await this.#storage.update(existing.key, object, existing.revision)
      return result.ok ? result.stored.object : undefined
    } finally {
      await finish()
    }
  }

  /** Upstream: ShouldDeleteDuringUpdate. */
  #finishesDeletion(object: KubeObject, old: KubeObject, strategy: UpdateStrategy): boolean {
    if ((object.metadata.finalizers?.length ?? 0) > 0 || !object.metadata.deletionTimestamp) return false
    if (this.strategy.holdsDeletion?.(object)) return false
    const isOver = (old.metadata.deletionGracePeriodSeconds ?? 0) === 0
    return isOver && (strategy.deletesOnUpdate?.(object) ?? true)
  }

  async #finishDeletion(
    existing: Stored,
    object: KubeObject,
    context: WriteContext,
  ): Promise<KubeObject | undefined> {
    if (context.dryRun) return deepFreeze(object)
    const result = await this.#storage.delete(existing.key, existing.revision)
    if (!result.ok) return undefined
    await this.strategy.afterDelete?.(result.stored.object)
    return deepFreeze(object)
  }

  async delete(call: DeleteCall): Promise<DeleteResult> {
    for (;;) {
      const existing = this.get(call.namespace, call.name)
      const result = await this.#tryDelete(existing, call)
      if (result) return result
    }
  }

  /** undefined: another write came between. */
  async #tryDelete(existing: Stored, call: DeleteCall): Promise<DeleteResult | undefined> {
    const { object: old, key } = existing
    await call.validate?.(old, old)
    const step = decideDelete(this.strategy, old, call.options, this.info, this.#clock.now())
    if (step.do === 'nothing') return { object: old, removed: false }
    const marked = step.object
    if (call.context.dryRun)
      return { object: marked ? deepFreeze(marked) : old, removed: step.do === 'remove' }
    let { revision } = existing
    if (marked && deepEqual(marked, old)) {
      // Said before; whoever asks again and again makes no new versions.
      if (step.do === 'mark') return { object: old, removed: false }
    } else if (marked) {
      const written = await this.#storage.update(key, marked, revision)
      if (!written.ok) return undefined
      if (step.do === 'mark') return { object: written.stored.object, removed: false }
      revision = written.stored.revision
    }
    const removed = await this.#storage.delete(key, revision)
    if (!removed.ok) return undefined
    await this.strategy.afterDelete?.(removed.stored.object)
    return { object: removed.stored.object, removed: true }
  }

  #throwInvalid(object: KubeObject, errors: readonly FieldErrorLike[]): void {
    if (errors.length > 0) throw invalid(this.info, object.metadata.name, errors)
  }
}
