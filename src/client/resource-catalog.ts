// Which resources the API serves now, for controllers that work on all of them (garbage collection, namespaces,
// quota). The list may change while the cluster runs: custom resources come and go.
import { builtinResources, type ResourceInfo } from '../api/resources.ts'

export interface ResourceCatalog {
  /** Each resource once, in its preferred version. */
  list(): readonly ResourceInfo[]
  /** Calls back after each change of the list. Returns how to stop that. */
  subscribe(changed: () => void): () => void
}

/** A catalog whose list can be replaced. */
export class MutableCatalog implements ResourceCatalog {
  #resources: readonly ResourceInfo[]
  readonly #subscribers = new Set<() => void>()

  constructor(resources: readonly ResourceInfo[] = builtinResources) {
    this.#resources = preferredResources(resources)
  }

  list(): readonly ResourceInfo[] {
    return this.#resources
  }

  subscribe(changed: () => void): () => void {
    this.#subscribers.add(changed)
    return () => this.#subscribers.delete(changed)
  }

  replace(resources: readonly ResourceInfo[]): void {
    this.#resources = preferredResources(resources)
    for (const changed of this.#subscribers) changed()
  }
}

/** The first version named of each resource that can be listed. Upstream: ServerPreferredResources. */
export function preferredResources(resources: readonly ResourceInfo[]): ResourceInfo[] {
  const seen = new Set<string>()
  return resources.filter(({ group, resource, verbs }) => {
    const name = `${resource}.${group}`
    if (seen.has(name) || !verbs.includes('list')) return false
    seen.add(name)
    return true
  })
}

/** The resource that serves the kind, undefined when nothing does: upstream's RESTMapping. */
export function resourceOfKind(
  resources: readonly ResourceInfo[],
  { apiVersion, kind }: { apiVersion: string; kind: string },
): ResourceInfo | undefined {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  const ofKind = resources.filter(resource => resource.kind === kind && resource.group === group)
  return ofKind.find(({ version }) => version === apiVersion.slice(slash + 1)) ?? ofKind[0]
}
