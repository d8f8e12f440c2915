// Turns a write request into calls of a ResourceStore: decode, default, mutating admission, and the checks of name
// and namespace that come first. Upstream: apiserver handlers/create.go, update.go, patch.go, delete.go.

import { applyDefaults } from '../../api/defaults/defaults.ts'
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiRequest } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { type DecodedObject, decodeObject, type FieldValidation } from '../../api/schema/decode-object.ts'
import { badRequest, type FieldErrorLike, invalid } from '../../api/status-error.ts'
import type { PassiveClock } from '../../base/clock.ts'
import type { Admission, AdmissionAttributes, Operation } from '../admission/admission.ts'
import type { Writer } from '../managed-fields/field-manager.ts'
import type { Endpoint } from './endpoint.ts'
import { formatTime } from './object-time.ts'
import { groupVersion } from './resource-reader.ts'
import type { WriteContext } from './strategy.ts'

/** A kind by its group version, as bodies name it. */
export interface BodyKind {
  apiVersion: string
  kind: string
}

/** What one write request carries through its steps. */
export class WriteRequest {
  readonly request: ApiRequest
  readonly info: ResourceInfo
  readonly warnings: string[] = []
  readonly context: WriteContext
  readonly #admission: Admission
  readonly #decode: Endpoint['decode']
  readonly #conversion: Endpoint['conversion']

  constructor(
    request: ApiRequest,
    {
      info,
      decode,
      deprecation,
      conversion,
    }: Pick<Endpoint, 'info' | 'decode' | 'deprecation' | 'conversion'>,
    admission: Admission,
    clock: PassiveClock,
  ) {
    checkDryRun(request)
    const dryRun = (request.options?.dryRun ?? request.deleteOptions?.dryRun ?? []).length > 0
    const warn = (text: string) => void this.warnings.push(text)
    this.request = request
    this.info = info
    this.context = { now: clock.now(), user: request.user, dryRun, warn }
    this.#admission = admission
    this.#decode = decode
    this.#conversion = conversion
    if (deprecation) this.warnings.push(deprecation)
  }

  get name(): string {
    if (this.request.name) return this.request.name
    throw badRequest('name must be provided')
  }

  /** Decodes, prunes and defaults a body; the result is unfrozen. Unknown fields warn or fail as the request says. */
  decode(body: unknown, expected: BodyKind = this.ownKind): KubeObject {
    if (typeof body !== 'object' || body === null)
      throw badRequest(`the object provided is unrecognized (must be of type ${expected.kind})`)
    checkKind(body as Partial<BodyKind>, expected)
    const { object, warnings } = this.#read(body, expected)
    this.warnings.push(...warnings)
    applyDefaults(object)
    return object
  }

  /** As the first time, but silently. */
  #decodeAgain(body: KubeObject): KubeObject {
    const { object } = this.#read(body, { apiVersion: body.apiVersion, kind: body.kind }, 'Ignore')
    applyDefaults(object)
    return object
  }

  #read(
    body: object,
    { apiVersion, kind }: BodyKind,
    validation: FieldValidation | undefined = this.request.options?.fieldValidation,
  ): DecodedObject {
    const { bodyProblems = [], bodyKeys } = this.request
    const isOwn = kind === this.info.kind && apiVersion === groupVersion(this.info)
    return isOwn && this.#decode
      ? this.#decode(body, validation, bodyProblems)
      : decodeObject(body, apiVersion, kind, validation, bodyProblems, bodyKeys)
  }

  /** Who writes, for managedFields. */
  get writer(): Writer {
    const { options, userAgent, subresource } = this.request
    return { fieldManager: options?.fieldManager, userAgent, subresource, time: formatTime(this.context.now) }
  }

  get ownKind(): BodyKind {
    return { apiVersion: groupVersion(this.info), kind: this.info.kind }
  }

  /** Upstream: the checks of scope.Namer and EnsureObjectNamespaceMatchesRequestNamespace. */
  checkTarget({ metadata }: KubeObject): void {
    const { name, namespace } = this.request
    if (name && metadata.name && metadata.name !== name) {
      throw badRequest(
        `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
      )
    }
    if (metadata.namespace && metadata.namespace !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      )
    }
    if (name) metadata.name = name
    if (namespace) metadata.namespace = namespace
  }

  admit(operation: Operation, object: KubeObject | undefined, oldObject?: KubeObject): Promise<void> {
    return this.#admission.admit(this.#attributes(operation, object, oldObject))
  }

  async validate(
    operation: Operation,
    object: KubeObject | undefined,
    oldObject?: KubeObject,
  ): Promise<void> {
    const errors = (object && operation !== 'DELETE' && this.#conversion?.validate?.(object, oldObject)) || []
    if (object && errors.length > 0) throw invalid(this.info, object.metadata.name, errors)
    return this.#admission.validate(this.#attributes(operation, object, oldObject))
  }

  #attributes(
    operation: Operation,
    object: KubeObject | undefined,
    oldObject?: KubeObject,
  ): AdmissionAttributes {
    const { request, info, context } = this
    return {
      operation,
      resource: info,
      subresource: request.subresource,
      namespace: request.namespace ?? (info.resource === 'namespaces' ? request.name : undefined),
      name: request.name ?? '',
      object,
      oldObject,
      user: request.user,
      dryRun: context.dryRun,
      options: request.deleteOptions ?? request.options ?? {},
      warn: context.warn,
      decode: body => this.#decodeAgain(body),
    }
  }
}

function checkKind(body: Partial<BodyKind>, { apiVersion, kind }: BodyKind): void {
  if (body.apiVersion && body.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${body.apiVersion}) does not match the expected API version (${apiVersion})`,
    )
  }
  if (body.kind && body.kind !== kind) {
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
    throw badRequest(
      `${body.kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: converting (${body.kind}) to (${kind}): unknown conversion`,
    )
  }
}

const OPTIONS_KIND: Partial<Record<ApiRequest['verb'], string>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
}

function checkDryRun({ verb, options, deleteOptions }: ApiRequest): void {
  const values = [...(options?.dryRun ?? []), ...(deleteOptions?.dryRun ?? [])]
  if (values.every(value => value === 'All')) return
  const errors: FieldErrorLike[] = [
    {
      reason: 'FieldValueNotSupported',
      field: 'dryRun',
      message: `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`,
    },
  ]
  throw invalid({ group: 'meta.k8s.io', kind: OPTIONS_KIND[verb] ?? 'CreateOptions' }, '', errors)
}
