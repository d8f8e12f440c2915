// The one way in which controllers, scheduler, kubelet, cli and dashboard reach the API.
// It turns typed calls into ApiRequests for whatever handler it is given (the server itself, or HTTPS).
// No node: imports here: the dashboard shares this file.
import type { Draft, KubeList, KubeObject, Resource, WatchEvent } from '../api/kube-object.ts'
import type {
  ApiHandler,
  ApiRequest,
  ApiResponse,
  DeleteOptions,
  PatchType,
  RequestOptions,
  UserInfo,
  Verb,
} from '../api/request.ts'

/** Where an object is. `namespace` is left out for cluster-scoped resources. */
export interface ObjectKey {
  name: string
  namespace?: string
}

export interface CallOptions extends RequestOptions {
  signal?: AbortSignal
  subresource?: string
  /** Parameters that only this resource knows. */
  query?: Record<string, string | string[]>
}

export interface ScopeOptions extends CallOptions {
  /** Left out: all namespaces. */
  namespace?: string
}

/** Throws StatusError as the server made it. Objects returned are frozen in-process: copy before changing. */
export class Client {
  readonly #handle: ApiHandler
  readonly #user: UserInfo
  readonly #userAgent: string | undefined

  /** `user` is whom an in-process server sees; an HTTPS transport ignores it and uses its own credentials. */
  constructor(handle: ApiHandler, user: UserInfo, userAgent?: string) {
    this.#handle = handle
    this.#user = user
    this.#userAgent = userAgent
  }

  async get<T>(resource: Resource<T>, key: ObjectKey, options?: CallOptions): Promise<T> {
    return this.#object<T>(this.#request('get', resource, { ...key, ...split(options) }))
  }

  async list<T>(resource: Resource<T>, options?: ScopeOptions): Promise<KubeList<T>> {
    return this.#object<KubeList<T>>(this.#request('list', resource, splitScope(options)))
  }

  async *watch<T>(resource: Resource<T>, options?: ScopeOptions): AsyncGenerator<WatchEvent<T>> {
    const response = await this.#handle(this.#request('watch', resource, splitScope(options)))
    if (response.kind !== 'watch')
      throw new Error(`a watch of ${resource.resource} was answered with ${response.kind}`)
    yield* response.events as AsyncIterable<WatchEvent<T>>
  }

  /** The namespace is the object's own. Hands the object over: the server may freeze it. */
  async create<T extends object>(resource: Resource<T>, object: Draft<T>, options?: CallOptions): Promise<T> {
    return this.#object<T>(
      this.#request('create', resource, { ...target(object), ...split(options), body: object }),
    )
  }

  /** Replaces; fails with Conflict when metadata.resourceVersion is set and not the newest. */
  async update<T extends object>(resource: Resource<T>, object: Draft<T>, options?: CallOptions): Promise<T> {
    return this.#object<T>(
      this.#request('update', resource, { ...target(object), ...split(options), body: object }),
    )
  }

  async patch<T>(
    resource: Resource<T>,
    key: ObjectKey,
    type: PatchType,
    document: unknown,
    options?: CallOptions,
  ): Promise<T> {
    return this.#object<T>(
      this.#request('patch', resource, { ...key, ...split(options), patch: { type, document } }),
    )
  }

  /** Answers the object while it terminates, or a Status of success when it is gone. */
  async delete<T>(resource: Resource<T>, key: ObjectKey, deleteOptions?: DeleteOptions): Promise<KubeObject> {
    return this.#object<KubeObject>(
      this.#request('delete', resource, { ...key, deleteOptions: deleteOptions ?? {} }),
    )
  }

  async deleteCollection<T>(
    resource: Resource<T>,
    options?: ScopeOptions,
    deleteOptions?: DeleteOptions,
  ): Promise<void> {
    await this.#handle(
      this.#request('deletecollection', resource, {
        ...splitScope(options),
        deleteOptions: deleteOptions ?? {},
      }),
    )
  }

  /** A subresource with a body and an answer of its own kind: pods/binding, pods/eviction, serviceaccounts/token. */
  async createSubresource<T>(
    resource: Resource<unknown>,
    key: ObjectKey,
    subresource: string,
    body: object,
    options?: CallOptions,
  ): Promise<T> {
    return this.#object<T>(
      this.#request('create', resource, { ...key, ...split(options), subresource, body }),
    )
  }

  /** The bytes of a subresource, for pods/log: `query` holds its own options (container, follow …). */
  async stream(
    resource: Resource<unknown>,
    key: ObjectKey,
    subresource: string,
    { query, signal }: { query?: Record<string, string | string[]>; signal?: AbortSignal } = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const rest = { ...key, subresource, ...(query && { query }), ...(signal && { signal }) }
    const response = await this.#handle(this.#request('get', resource, rest))
    if (response.kind !== 'stream')
      throw new Error(`${resource.resource}/${subresource} was answered with ${response.kind}`)
    return response.body
  }

  #request(
    verb: Verb,
    resource: Resource<unknown>,
    rest: Omit<ApiRequest, 'user' | 'verb' | 'group' | 'version' | 'resource'>,
  ): ApiRequest {
    const { group, version } = resource
    return {
      user: this.#user,
      verb,
      group,
      version,
      resource: resource.resource,
      ...(this.#userAgent && { userAgent: this.#userAgent }),
      ...rest,
    }
  }

  async #object<T>(request: ApiRequest): Promise<T> {
    const response: ApiResponse = await this.#handle(request)
    if (response.kind !== 'object')
      throw new Error(`${request.verb} ${request.resource} was answered with ${response.kind}`)
    return response.object as T
  }
}

function target(object: object): { name?: string; namespace?: string } {
  const { name, namespace } = (object as KubeObject).metadata
  return { ...(name && { name }), ...(namespace && { namespace }) }
}

type Split = Pick<ApiRequest, 'options' | 'signal' | 'subresource' | 'query'>

function split(all: CallOptions = {}): Split {
  const { signal, subresource, query, ...options } = all
  return {
    options,
    ...(signal && { signal }),
    ...(subresource && { subresource }),
    ...(query && { query }),
  }
}

function splitScope(all: ScopeOptions = {}): Split & Pick<ApiRequest, 'namespace'> {
  const { namespace, ...rest } = all
  return { ...split(rest), ...(namespace && { namespace }) }
}
