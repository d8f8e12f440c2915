// Answers the verbs on a resource itself; subresources with meanings of their own are in subresources/.

import type { KubeList, KubeObject, WatchEvent } from '../../api/kube-object.ts'
import type { ApiRequest, ApiResponse, DeleteOptions, RequestOptions } from '../../api/request.ts'
import { isNotFound, methodNotSupported } from '../../api/status-error.ts'
import type { PassiveClock } from '../../base/clock.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import type { Admission } from '../admission/admission.ts'
import { apply, trackUpdate } from '../managed-fields/field-manager.ts'
import { applyPatch } from '../patch/apply-patch.ts'
import { checkPatchOptions, readConfiguration } from './apply-request.ts'
import { convertedSelection, listConverted, watchConverted } from './custom/converted-selection.ts'
import { type Endpoint, serve, served, trackedKind } from './endpoint.ts'
import { groupVersion } from './resource-reader.ts'
import { parseResourceVersion, tooLarge } from './resource-version.ts'
import type { UpdateStrategy } from './strategy.ts'
import { successStatus } from './success-status.ts'
import { WriteRequest } from './write-request.ts'

/** Upstream: MaxRetryWhenPatchConflicts. */
const PATCH_ATTEMPTS = 5

export interface HandlerParts {
  admission: Admission
  clock: PassiveClock
  /** The store's newest revision. */
  revision(): number
}

export class ResourceHandler {
  readonly #parts: HandlerParts

  constructor(parts: HandlerParts) {
    this.#parts = parts
  }

  async handle(endpoint: Endpoint, request: ApiRequest): Promise<ApiResponse> {
    switch (request.verb) {
      case 'get':
        return this.get(endpoint, request)
      case 'list':
        return this.#list(endpoint, request)
      case 'watch':
        return this.#watch(endpoint, request)
      case 'create':
        return this.#create(endpoint, request)
      case 'update':
        return this.update(endpoint, request)
      case 'patch':
        return this.patch(endpoint, request)
      case 'delete':
        return this.#delete(endpoint, request)
      case 'deletecollection':
        return this.#deleteCollection(endpoint, request)
      default:
        throw methodNotSupported(endpoint.info, request.verb)
    }
  }

  begin(endpoint: Endpoint, request: ApiRequest): WriteRequest {
    return new WriteRequest(request, endpoint, this.#parts.admission, this.#parts.clock)
  }

  async get(endpoint: Endpoint, { namespace, name = '', options }: ApiRequest): Promise<ApiResponse> {
    const asked = parseResourceVersion(options?.resourceVersion)
    const current = this.#parts.revision()
    if (asked && asked > current) throw tooLarge(asked, current)
    return answer(await serve(endpoint, endpoint.store.get(namespace, name).object))
  }

  async #list(endpoint: Endpoint, { namespace, options = {} }: ApiRequest): Promise<ApiResponse> {
    const list = await listStored(endpoint, namespace, options)
    const { conversion } = endpoint
    if (!conversion) return answer(list as unknown as KubeObject)
    await conversion.prepare?.(list.items)
    const items = list.items.map(item => conversion.fromStored(item))
    return answer({ ...list, apiVersion: groupVersion(endpoint.info), items } as unknown as KubeObject)
  }

  async #watch(endpoint: Endpoint, { namespace, options = {}, signal }: ApiRequest): Promise<ApiResponse> {
    const selection = convertedSelection(endpoint, options, namespace)
    const events = selection
      ? await watchConverted(endpoint, selection, namespace, options, signal)
      : await endpoint.reader.watch(namespace, options, signal)
    return { kind: 'watch', events: endpoint.conversion ? converted(events, endpoint) : events }
  }

  async #create(endpoint: Endpoint, request: ApiRequest): Promise<ApiResponse> {
    const write = this.begin(endpoint, request)
    const object = write.decode(request.body)
    write.checkTarget(object)
    trackUpdate(object, undefined, write.writer, trackedKind(endpoint))
    await write.admit('CREATE', object)
    const created = await endpoint.store.create(await toStored(endpoint, object), {
      namespace: request.namespace,
      context: write.context,
      validate: final => write.validate('CREATE', final),
    })
    return answer(await serve(endpoint, created), 201, write.warnings)
  }

  /** `strategy`: of a subresource that is updated with the resource's own kind (status, ephemeralcontainers, resize). */
  async update(endpoint: Endpoint, request: ApiRequest, strategy?: UpdateStrategy): Promise<ApiResponse> {
    const write = this.begin(endpoint, request)
    const read = () => {
      const object = write.decode(request.body)
      write.checkTarget(object)
      return object
    }
    // A bad body is answered before a missing object; later tries need a draft of their own.
    let unused: KubeObject | undefined = read()
    const transform = async (old: KubeObject | undefined) => {
      const object = unused ?? read()
      unused = undefined
      trackUpdate(object, old && (await serve(endpoint, old)), write.writer, trackedKind(endpoint))
      await write.admit(old ? 'UPDATE' : 'CREATE', object, old)
      return toStored(endpoint, object)
    }
    const { object, created } = await endpoint.store.update({
      namespace: request.namespace,
      name: write.name,
      context: write.context,
      transform,
      ...(!strategy && { transformMissing: () => transform(undefined) }),
      validate: (final, old) => write.validate('UPDATE', final, old),
      validateCreate: final => write.validate('CREATE', final),
      ...(strategy && { strategy }),
    })
    return answer(await serve(endpoint, object), created ? 201 : 200, distinct(write.warnings))
  }

  async patch(endpoint: Endpoint, request: ApiRequest, strategy?: UpdateStrategy): Promise<ApiResponse> {
    const write = this.begin(endpoint, request)
    const { patch } = request
    if (!patch) throw new Error('a patch request carries a patch')
    checkPatchOptions(request)
    if (patch.type === 'application/apply-patch+yaml')
      return this.#apply(endpoint, write, readConfiguration(patch.document, write), strategy)
    const { object } = await endpoint.store.update({
      namespace: request.namespace,
      name: write.name,
      context: write.context,
      attempts: PATCH_ATTEMPTS,
      transform: async old => {
        const current = await serve(endpoint, old)
        const object = write.decode(applyPatch(current, patch))
        write.checkTarget(object)
        trackUpdate(object, current, write.writer, trackedKind(endpoint))
        // A patch that says nothing about the version applies to whatever version is there.
        await write.admit('UPDATE', object, old)
        return toStored(endpoint, object)
      },
      validate: (final, old) => write.validate('UPDATE', final, old),
      ...(strategy && { strategy }),
    })
    return answer(await serve(endpoint, object), 200, distinct(write.warnings))
  }

  /** Server-side apply: the only patch that creates what does not exist. */
  async #apply(
    endpoint: Endpoint,
    write: WriteRequest,
    config: KubeObject,
    strategy?: UpdateStrategy,
  ): Promise<ApiResponse> {
    const { namespace, options = {} } = write.request
    const writer = { ...write.writer, fieldManager: options.fieldManager! }
    const transform = async (old: KubeObject | undefined) => {
      const live = old && (await serve(endpoint, old))
      const object = write.decode(apply(live, config, writer, options.force ?? false, trackedKind(endpoint)))
      write.checkTarget(object)
      await write.admit(old ? 'UPDATE' : 'CREATE', object, old)
      return toStored(endpoint, object)
    }
    const { object, created } = await endpoint.store.update({
      namespace,
      name: write.name,
      context: write.context,
      attempts: PATCH_ATTEMPTS,
      transform,
      ...(!strategy && { transformMissing: () => transform(undefined), createsMissing: true }),
      validate: (final, old) => write.validate('UPDATE', final, old),
      validateCreate: final => write.validate('CREATE', final),
      ...(strategy && { strategy }),
    })
    return answer(await serve(endpoint, object), created ? 201 : 200, distinct(write.warnings))
  }

  async #delete(endpoint: Endpoint, request: ApiRequest): Promise<ApiResponse> {
    const write = this.begin(endpoint, request)
    const options = request.deleteOptions ?? {}
    for (const text of endpoint.store.strategy.warningsOnDelete?.(options) ?? []) write.context.warn(text)
    const { object, removed } = await endpoint.store.delete({
      namespace: request.namespace,
      name: write.name,
      options,
      context: write.context,
      validate: old => this.#admitDelete(write, old),
    })
    const isAccepted = !removed && options.orphanDependents === false
    if (!removed || endpoint.store.strategy.returnsDeletedObject) {
      return answer(await serve(endpoint, object), isAccepted ? 202 : 200, write.warnings)
    }
    return answer(successStatus(endpoint.info, object), 200, write.warnings)
  }

  async #admitDelete(write: WriteRequest, old: KubeObject): Promise<void> {
    await write.admit('DELETE', undefined, old)
    await write.validate('DELETE', undefined, old)
  }

  async #deleteCollection(endpoint: Endpoint, request: ApiRequest): Promise<ApiResponse> {
    const write = this.begin(endpoint, request)
    const { dryRun: _, ...options } = request.options ?? {}
    const list = await listStored(endpoint, request.namespace, options)
    await write.admit('DELETE', undefined)
    const deleteOptions = request.deleteOptions ?? {}
    const { strategy } = endpoint.store
    for (const text of strategy.warningsOnDelete?.(deleteOptions) ?? []) write.context.warn(text)
    await Promise.all(list.items.map(item => this.#deleteOne(endpoint, write, item, deleteOptions)))
    await endpoint.conversion?.prepare?.(list.items)
    const items = list.items.map(item => served(endpoint, item))
    const answered: KubeList<KubeObject> = { ...list, apiVersion: groupVersion(endpoint.info), items }
    return answer(answered as unknown as KubeObject, 200, write.warnings)
  }

  /** What is gone meanwhile is deleted too. */
  async #deleteOne(
    endpoint: Endpoint,
    write: WriteRequest,
    item: KubeObject,
    options: DeleteOptions,
  ): Promise<void> {
    const { namespace, name } = item.metadata
    try {
      await endpoint.store.delete({
        namespace,
        name,
        options,
        context: write.context,
        validate: old => write.validate('DELETE', undefined, old),
      })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

/** As it is stored, selected as this version sees it. */
function listStored(endpoint: Endpoint, namespace: string | undefined, options: RequestOptions) {
  const selection = convertedSelection(endpoint, options, namespace)
  return selection
    ? listConverted(endpoint, selection, namespace, options)
    : endpoint.reader.list(namespace, options)
}

export function answer(object: KubeObject, code = 200, warnings: readonly string[] = []): ApiResponse {
  return { kind: 'object', code, object, ...(warnings.length > 0 && { warnings: distinct(warnings) }) }
}

function distinct(warnings: readonly string[]): string[] {
  return [...new Set(warnings)]
}

function toStored(endpoint: Endpoint, object: KubeObject): KubeObject | Promise<KubeObject> {
  return endpoint.conversion ? endpoint.conversion.toStored(object) : object
}

async function* converted(
  events: AsyncIterable<WatchEvent<KubeObject>>,
  endpoint: Endpoint,
): AsyncGenerator<WatchEvent<KubeObject>> {
  const apiVersion = groupVersion(endpoint.info)
  for await (const event of events) {
    if (event.type === 'BOOKMARK')
      yield { type: event.type, object: deepFreeze({ ...event.object, apiVersion }) }
    else yield { type: event.type, object: await serve(endpoint, event.object) }
  }
}
