// What stands between a decoded request and the store: plugins that may change or refuse it.
// Upstream: apiserver admission.Interface and its chain.
import type { KubeObject } from '../../api/kube-object.ts'
import type { DeleteOptions, RequestOptions, UserInfo } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { forbidden, type StatusError } from '../../api/status-error.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface AdmissionAttributes {
  operation: Operation
  resource: ResourceInfo
  subresource: string | undefined
  namespace: string | undefined
  /** Of the URL; '' when an object is created. */
  name: string
  /** `admit` may change it; absent on DELETE. For a subresource with a body of its own (binding, eviction): that body. */
  object: KubeObject | undefined
  /** Frozen; absent on CREATE. */
  oldObject: KubeObject | undefined
  user: UserInfo
  dryRun: boolean
  options: RequestOptions | DeleteOptions
  warn(text: string): void
  /** Reads a changed body anew: prunes and defaults it as the first was. Absent where the body has a kind of its own. */
  decode?(body: KubeObject): KubeObject
}

export interface AdmissionPlugin {
  readonly name: string
  /** May change `attributes.object`. Throws StatusError to refuse. */
  admit?(attributes: AdmissionAttributes): Promise<void> | void
  /** Sees the object as it will be stored. Throws StatusError to refuse. */
  validate?(attributes: AdmissionAttributes): Promise<void> | void
}

export interface Admission {
  admit(attributes: AdmissionAttributes): Promise<void>
  validate(attributes: AdmissionAttributes): Promise<void>
}

/** Asks the plugins in their order; the first refusal ends it. */
export function chain(plugins: readonly AdmissionPlugin[]): Admission {
  return {
    async admit(attributes) {
      for (const plugin of plugins) if (plugin.admit) await plugin.admit(attributes)
    },
    async validate(attributes) {
      for (const plugin of plugins) if (plugin.validate) await plugin.validate(attributes)
    },
  }
}

/** 403 about the object of the request. Upstream: admission.NewForbidden. */
export function refuse(attributes: AdmissionAttributes, why: string): StatusError {
  const { name, object, resource } = attributes
  // A generated name is not known yet: the text shows what there is.
  return forbidden(
    resource,
    name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown',
    why,
  )
}

export function isResource(attributes: AdmissionAttributes, resource: string, group = ''): boolean {
  return attributes.resource.resource === resource && attributes.resource.group === group
}
