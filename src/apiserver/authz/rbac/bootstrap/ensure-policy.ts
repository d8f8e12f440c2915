// Puts the default roles and bindings into the store at every start: creates what is missing, adds what was taken
// away, leaves what people added. Upstream: pkg/registry/rbac/rest PostStartHook.
import type { KubeObject } from '../../../../api/kube-object.ts'
import type { ApiHandler, ApiRequest, UserInfo } from '../../../../api/request.ts'
import { isAlreadyExists, isNotFound } from '../../../../api/status-error.ts'
import type { ClusterRole, Role, RoleBinding } from '../../../../api/types/rbac-v1.ts'
import { defaultPolicy } from './default-policy.ts'
import type { Draft } from './policy-notation.ts'
import { reconcileBinding, reconcileRole } from './reconcile-policy.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }

/** The system's namespaces must exist. New roles that collect others have their rules at once. */
export async function ensurePolicy(handle: ApiHandler): Promise<void> {
  const api = new PolicyApi(handle)
  const { roles, bindings } = defaultPolicy()
  await Promise.all([
    ...roles.map(({ resource, object }) => ensureRole(api, resource, object)),
    ...bindings.map(({ resource, object }) => ensureBinding(api, resource, object)),
  ])
}

async function ensureRole(
  api: PolicyApi,
  resource: string,
  expected: Draft<ClusterRole | Role>,
): Promise<void> {
  const stored = await api.find(resource, expected)
  if (!stored) return api.create(resource, expected)
  const changed = reconcileRole(stored as unknown as ClusterRole, expected as Draft<ClusterRole>)
  if (changed) await api.update(resource, changed as unknown as KubeObject)
}

async function ensureBinding(api: PolicyApi, resource: string, expected: Draft<RoleBinding>): Promise<void> {
  const stored = await api.find(resource, expected)
  if (!stored) return api.create(resource, expected)
  const change = reconcileBinding(stored as unknown as RoleBinding, expected)
  if (change.do === 'update') await api.update(resource, change.binding as unknown as KubeObject)
  if (change.do !== 'replace') return
  await api.remove(resource, stored)
  await api.create(resource, expected)
}

/** Calls of the RBAC resources as the server itself. */
class PolicyApi {
  readonly #handle: ApiHandler

  constructor(handle: ApiHandler) {
    this.#handle = handle
  }

  async find(resource: string, { metadata }: { metadata: Where }): Promise<KubeObject | undefined> {
    try {
      const answer = await this.#handle(requestFor('get', resource, metadata))
      return answer.kind === 'object' ? answer.object : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async create(resource: string, object: { metadata: Where }): Promise<void> {
    const { name: _, ...where } = requestFor('create', resource, object.metadata)
    try {
      await this.#handle({ ...where, body: structuredClone(object) })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  async update(resource: string, object: KubeObject): Promise<void> {
    await this.#handle({ ...requestFor('update', resource, object.metadata), body: object })
  }

  async remove(resource: string, { metadata }: KubeObject): Promise<void> {
    await this.#handle({ ...requestFor('delete', resource, metadata), deleteOptions: {} })
  }
}

interface Where {
  name: string
  namespace?: string
}

function requestFor(verb: ApiRequest['verb'], resource: string, { name, namespace }: Where): ApiRequest {
  const kind = { group: 'rbac.authorization.k8s.io', version: 'v1', resource }
  return { user: SERVER, userAgent: 'kube-apiserver', verb, ...kind, name, ...(namespace && { namespace }) }
}
