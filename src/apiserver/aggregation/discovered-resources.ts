// Reads what another server says that it serves. Pure.
import type { DiscoveryVerb, ResourceInfo, SubresourceInfo } from '../../api/resources.ts'

interface Entry {
  name: string
  singularName?: string
  namespaced?: boolean
  kind: string
  group?: string
  version?: string
  verbs?: string[]
  shortNames?: string[]
  categories?: string[]
}

/** `list`: an APIResourceList. Throws Error for anything else. */
export function resourcesOf(list: unknown, group: string, version: string): ResourceInfo[] {
  const { kind, resources } = (list ?? {}) as { kind?: string; resources?: Entry[] }
  if (kind !== 'APIResourceList' || !Array.isArray(resources))
    throw new Error(`the answer is no APIResourceList`)
  const whole = resources.filter(({ name }) => !name.includes('/'))
  return whole.map(entry => ({
    group,
    version,
    resource: entry.name,
    kind: entry.kind,
    namespaced: entry.namespaced === true,
    singular: entry.singularName ?? '',
    shortNames: entry.shortNames ?? [],
    categories: entry.categories ?? [],
    verbs: verbsOf(entry),
    subresources: resources.filter(({ name }) => name.startsWith(`${entry.name}/`)).map(subresourceOf),
  }))
}

const verbsOf = ({ verbs = [] }: Entry) => [...verbs].sort() as DiscoveryVerb[]

function subresourceOf(entry: Entry): SubresourceInfo {
  const { name, kind, group, version } = entry
  return {
    name: name.slice(name.indexOf('/') + 1),
    kind,
    ...(group && { group }),
    ...(version && { version }),
    verbs: verbsOf(entry),
  }
}
