// Roles and bindings by whom they concern, in memory: read once, then kept by a watch of the store.
import type { KubeObject } from '../../../api/kube-object.ts'
import type { UserInfo } from '../../../api/request.ts'
import type {
  ClusterRoleBinding,
  PolicyRule,
  RoleBinding,
  RoleRef,
  Subject,
} from '../../../api/types/rbac-v1.ts'
import { Compacted, SlowConsumer, type Storage } from '../../../storage/storage.ts'

const PREFIX = '/registry/rbac.authorization.k8s.io/'

type Binding = RoleBinding | ClusterRoleBinding

/** A binding that concerns a user, through one of its subjects. */
export interface Grant {
  binding: Binding
  subject: Subject
  /** '' for a ClusterRoleBinding: it counts everywhere. */
  namespace: string
}

interface Entry extends Grant {
  /** Position among the binding's subjects: the first that matches gives the reason. */
  position: number
}

export class PolicyIndex {
  readonly #storage: Storage
  readonly #roles = new Map<string, readonly PolicyRule[]>()
  readonly #bindings = new Map<string, Binding>()
  /** By 'user:…' or 'group:…'. */
  readonly #bySubject = new Map<string, Map<string, Entry>>()
  #revision = 0

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Reads what is stored. Call before `run`, and before the first question. */
  async load(): Promise<void> {
    const { items, revision } = await this.#storage.list(PREFIX)
    this.#roles.clear()
    this.#bindings.clear()
    this.#bySubject.clear()
    for (const { key, object } of items) this.#put(key, object)
    this.#revision = revision
  }

  /** Follows the store until the signal aborts or the store closes. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        for await (const event of this.#storage.watch(PREFIX, { after: this.#revision, signal })) {
          if (event.type === 'put') this.#put(event.key, event.object)
          else if (event.type === 'delete') this.#remove(event.key)
          this.#revision = event.revision
        }
        return
      } catch (error) {
        if (!(error instanceof Compacted || error instanceof SlowConsumer)) throw error
        await this.load()
      }
    }
  }

  /** Bindings that name the user or one of its groups: cluster-wide ones first, then those of the namespace. */
  grantsOf(user: UserInfo, namespace: string): Grant[] {
    const found = new Map<string, Entry>()
    this.#collect(`user:${user.name}`, namespace, found)
    for (const group of user.groups) this.#collect(`group:${group}`, namespace, found)
    const grants = [...found.values()]
    return namespace === '' ? grants : grants.sort((a, b) => a.namespace.length - b.namespace.length)
  }

  /** undefined: there is no such role. */
  rulesOf({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#roles.get(
      kind === 'Role' ? `${PREFIX}roles/${namespace}/${name}` : `${PREFIX}clusterroles/${name}`,
    )
  }

  #collect(subject: string, namespace: string, found: Map<string, Entry>): void {
    for (const [key, entry] of this.#bySubject.get(subject) ?? []) {
      if (entry.namespace !== '' && entry.namespace !== namespace) continue
      const known = found.get(key)
      if (!known || entry.position < known.position) found.set(key, entry)
    }
  }

  #put(key: string, object: KubeObject): void {
    if (object.kind === 'Role' || object.kind === 'ClusterRole') {
      this.#roles.set(key, (object as unknown as { rules?: PolicyRule[] }).rules ?? [])
      return
    }
    this.#remove(key)
    const binding = object as unknown as Binding
    this.#bindings.set(key, binding)
    const namespace = binding.metadata.namespace ?? ''
    for (const [position, subject] of (binding.subjects ?? []).entries()) {
      const name = subjectKey(subject, namespace)
      if (!name) continue
      const entries = this.#bySubject.get(name) ?? new Map<string, Entry>()
      if (!entries.has(key)) entries.set(key, { binding, subject, namespace, position })
      this.#bySubject.set(name, entries)
    }
  }

  #remove(key: string): void {
    this.#roles.delete(key)
    const binding = this.#bindings.get(key)
    if (!binding) return
    this.#bindings.delete(key)
    for (const subject of binding.subjects ?? []) {
      const name = subjectKey(subject, binding.metadata.namespace ?? '')
      const entries = this.#bySubject.get(name ?? '')
      entries?.delete(key)
      if (entries?.size === 0) this.#bySubject.delete(name ?? '')
    }
  }
}

/** A service account is the user that its tokens name. Without a namespace of its own it is of the binding's. */
function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string | undefined {
  if (kind === 'User') return `user:${name}`
  if (kind === 'Group') return `group:${name}`
  const home = namespace || bindingNamespace
  return kind === 'ServiceAccount' && home ? `user:system:serviceaccount:${home}:${name}` : undefined
}
