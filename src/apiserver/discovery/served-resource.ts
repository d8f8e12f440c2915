// What the HTTP side has to know about a resource to route to it and to list it in discovery.

export interface ServedSubresource {
  /** 'status', 'log', 'binding'. */
  name: string
  kind: string
  /** When the body's kind is of another group version: pods/eviction is policy/v1. */
  group?: string
  version?: string
  verbs: readonly string[]
}

export interface ServedResource {
  /** '' for the core group. */
  group: string
  version: string
  /** Plural, as in URLs. */
  resource: string
  singular: string
  kind: string
  namespaced: boolean
  shortNames?: readonly string[]
  categories?: readonly string[]
  verbs: readonly string[]
  subresources?: readonly ServedSubresource[]
}

/** Looks resources up by group, version and plural. Built once; later kinds come with `replace`. */
export class ResourceIndex {
  #all: readonly ServedResource[] = []
  #byPath = new Map<string, ServedResource>()
  #revision = 0

  constructor(resources: readonly ServedResource[]) {
    this.replace(resources)
  }

  replace(resources: readonly ServedResource[]): void {
    this.#all = resources
    this.#byPath = new Map(
      resources.map(entry => [`${entry.group}/${entry.version}/${entry.resource}`, entry]),
    )
    this.#revision++
  }

  get all(): readonly ServedResource[] {
    return this.#all
  }

  /** Grows whenever the list is replaced: documents derived from it are kept until then. */
  get revision(): number {
    return this.#revision
  }

  find(group: string, version: string, resource: string): ServedResource | undefined {
    return this.#byPath.get(`${group}/${version}/${resource}`)
  }
}
