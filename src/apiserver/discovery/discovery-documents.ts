// Discovery as plain objects: which groups, versions and resources are served. Pure; no HTTP here.
import { createHash } from 'node:crypto'
import type { ResourceInfo, SubresourceInfo } from '../../api/resources.ts'

/** Upstream lists groups by priority; those not named here follow in the table's own order. */
export interface GroupVersions {
  group: string
  /** Preferred first. */
  versions: string[]
}

export function groupsOf(resources: readonly ResourceInfo[]): GroupVersions[] {
  const groups = new Map<string, Set<string>>()
  for (const { group, version } of resources) {
    const versions = groups.get(group) ?? new Set()
    groups.set(group, versions.add(version))
  }
  return [...groups].map(([group, versions]) => ({ group, versions: [...versions].sort(byStability) }))
}

/** v2 before v1 before v2beta1 before v1alpha1. Upstream: version.CompareKubeAwareVersionStrings. */
export function byStability(left: string, right: string): number {
  const [a, b] = [rank(left), rank(right)]
  return b[0] - a[0] || b[1] - a[1] || b[2] - a[2] || (left < right ? -1 : 1)
}

function rank(version: string): [stability: number, major: number, minor: number] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return [0, 0, 0]
  const stability = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1
  return [stability, Number(match[1]), Number(match[3] ?? 0)]
}

/** GET /api. */
export function apiVersions(serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

/** GET /apis. */
export function apiGroupList(resources: readonly ResourceInfo[]): object {
  const groups = groupsOf(resources).filter(({ group }) => group !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupEntry) }
}

/** GET /apis/GROUP; undefined when there is no such group. */
export function apiGroup(resources: readonly ResourceInfo[], name: string): object | undefined {
  const found = groupsOf(resources).find(({ group }) => group === name && group !== '')
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(found) }
}

function groupEntry({ group, versions }: GroupVersions) {
  const entries = versions.map(version => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions: entries, preferredVersion: entries[0] }
}

/** GET /api/v1 and /apis/GROUP/VERSION; undefined when nothing is served there. */
export function apiResourceList(
  resources: readonly ResourceInfo[],
  group: string,
  version: string,
): object | undefined {
  const served = resources.filter(entry => entry.group === group && entry.version === version)
  if (served.length === 0) return undefined
  const entries = served.flatMap(entry => [
    resourceEntry(entry),
    ...entry.subresources.map(subresource => subresourceEntry(entry, subresource)),
  ])
  return {
    kind: 'APIResourceList',
    // The core group's list carries no apiVersion upstream.
    ...(group && { apiVersion: 'v1' }),
    groupVersion: group ? `${group}/${version}` : version,
    resources: entries.sort((left, right) => (left.name < right.name ? -1 : 1)),
  }
}

function resourceEntry(entry: ResourceInfo) {
  return {
    name: entry.resource,
    singularName: entry.singular,
    namespaced: entry.namespaced,
    kind: entry.kind,
    verbs: entry.verbs,
    ...(entry.shortNames.length > 0 && { shortNames: entry.shortNames }),
    ...(entry.categories.length > 0 && { categories: entry.categories }),
  }
}

function subresourceEntry(owner: ResourceInfo, { name, kind, group, version, verbs }: SubresourceInfo) {
  return {
    name: `${owner.resource}/${name}`,
    singularName: '',
    namespaced: owner.namespaced,
    ...(group !== undefined && { group }),
    ...(version !== undefined && { version }),
    kind,
    verbs,
  }
}

/** Aggregated discovery for /api (core only) or /apis (all others). */
export function aggregatedDiscovery(
  resources: readonly ResourceInfo[],
  core: boolean,
  version: 'v2' | 'v2beta1',
): object {
  const groups = groupsOf(resources).filter(({ group }) => (group === '') === core)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: versions.map(each => ({
        version: each,
        resources: resources
          .filter(entry => entry.group === group && entry.version === each)
          .sort((left, right) => (left.resource < right.resource ? -1 : 1))
          .map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  }
}

function aggregatedResource(entry: ResourceInfo) {
  const own = { group: entry.group, version: entry.version }
  return {
    resource: entry.resource,
    responseKind: { ...own, kind: entry.kind },
    scope: entry.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: entry.singular,
    verbs: entry.verbs,
    ...(entry.shortNames.length > 0 && { shortNames: entry.shortNames }),
    ...(entry.categories.length > 0 && { categories: entry.categories }),
    ...(entry.subresources.length > 0 && {
      subresources: entry.subresources.map(({ name, kind, group, version, verbs }) => ({
        subresource: name,
        responseKind: { group: group ?? own.group, version: version ?? own.version, kind },
        verbs,
      })),
    }),
  }
}

/** Upper-case hexadecimal SHA-512, quoted, as upstream's discovery and OpenAPI ETags are. */
export function entityTag(body: Uint8Array): string {
  return `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`
}
