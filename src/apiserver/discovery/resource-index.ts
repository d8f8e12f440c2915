// The resources that are served now. Routing and discovery read it; custom resources will replace the list.
import type { ResourceInfo } from '../../api/resources.ts'

export class ResourceIndex {
  #all: readonly ResourceInfo[] = []
  #byPath = new Map<string, ResourceInfo>()
  #revision = 0

  constructor(resources: readonly ResourceInfo[]) {
    this.replace(resources)
  }

  replace(resources: readonly ResourceInfo[]): void {
    this.#all = resources
    this.#byPath = new Map(
      resources.map(entry => [pathOf(entry.group, entry.version, entry.resource), entry]),
    )
    this.#revision++
  }

  get all(): readonly ResourceInfo[] {
    return this.#all
  }

  /** Grows whenever the list is replaced: documents derived from it are good until then. */
  get revision(): number {
    return this.#revision
  }

  find(group: string, version: string, resource: string): ResourceInfo | undefined {
    return this.#byPath.get(pathOf(group, version, resource))
  }
}

function pathOf(group: string, version: string, resource: string): string {
  return `${group}/${version}/${resource}`
}
