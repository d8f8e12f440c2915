// What is served now, as routing, discovery and controllers see it: what is built in, custom resources as they come and
// go, and what other servers answer.
import type { KindTypes } from '../api/cel/policy-types.ts'
import { typesOfKind, typesOfSchema } from '../api/cel/schema-types.ts'
import { builtinResources, type ResourceInfo } from '../api/resources.ts'
import { findType } from '../api/schema/type-facts.ts'
import { API_SERVICES } from '../apiserver/aggregation/api-service.ts'
import { ResourceIndex } from '../apiserver/discovery/resource-index.ts'
import { type Shape, shapeOfCustomKind } from '../apiserver/managed-fields/shape.ts'
import { metricsResources } from '../apiserver/metrics-api/metrics-api.ts'
import type { CustomResources } from '../apiserver/registry/custom/custom-resources.ts'
import { customTable } from '../apiserver/tables/custom-table.ts'
import type { TableKind } from '../apiserver/tables/table.ts'
import { tableFor } from '../apiserver/tables/table-for.ts'
import { MutableCatalog, resourceOfKind } from '../client/resource-catalog.ts'

export class ServedResources {
  readonly index = new ResourceIndex([])
  /** Only what is stored here. */
  readonly catalog = new MutableCatalog()
  readonly custom: CustomResources
  readonly #elsewhere: () => readonly ResourceInfo[]
  readonly #subscribers: (() => void)[] = []

  constructor(custom: CustomResources, elsewhere: () => readonly ResourceInfo[]) {
    this.custom = custom
    this.#elsewhere = elsewhere
    this.refresh()
    custom.subscribe(() => this.refresh())
  }

  /** To be called when what others serve has changed. */
  readonly refresh = (): void => {
    const own = [...builtinResources, ...this.custom.resources()]
    const others = this.#elsewhere()
    const isTaken = ({ group, version }: ResourceInfo) =>
      others.some(other => other.group === group && other.version === version)
    this.index.replace([...own, ...metricsResources.filter(one => !isTaken(one)), ...others])
    this.catalog.replace(own)
    for (const changed of this.#subscribers) changed()
  }

  subscribe(changed: () => void): void {
    this.#subscribers.push(changed)
  }

  /** Each once. */
  groupVersions(): { group: string; version: string }[] {
    const local = [...builtinResources, ...this.custom.resources()]
    const named = new Map(local.map(({ group, version }) => [`${group}/${version}`, { group, version }]))
    return [...named.values()]
  }

  /** The resource that serves a kind; undefined when nothing does. */
  resourceOf(apiVersion: string, kind: string): ResourceInfo | undefined {
    return resourceOfKind(this.catalog.list(), { apiVersion, kind })
  }

  /** How values of a custom kind are taken apart; undefined for other kinds. */
  shapeOfCustom(apiVersion: string, kind: string): Shape | undefined {
    const resource = this.resourceOf(apiVersion, kind)
    const definition = resource && this.custom.definitionOf(resource.group, resource.resource)
    const version = definition?.spec.versions.find(({ name }) => name === resource?.version)
    return version && shapeOfCustomKind(version.schema?.openAPIV3Schema)
  }

  /** The kind behind a resource and the types of its fields; undefined when it is not stored here. */
  readonly typesOf = (group: string, version: string, resource: string): KindTypes | undefined => {
    const is = (one: ResourceInfo) =>
      one.group === group && one.version === version && one.resource === resource
    const info = builtinResources.find(is) ?? this.custom.resources().find(is)
    if (!info) return undefined
    const { kind } = info
    const facts = findType(group ? `${group}/${version}` : version, kind)
    if (facts) return { group, version, kind, ...typesOfKind(facts) }
    const schema = this.custom
      .definitionOf(group, resource)
      ?.spec.versions.find(({ name }) => name === version)?.schema?.openAPIV3Schema
    return schema && { group, version, kind, ...typesOfSchema(schema, true) }
  }

  readonly tableFor = (resource: { group: string; version: string; resource: string }): TableKind => {
    const isBuiltin = resource.group === API_SERVICES.group
    const definition = isBuiltin ? undefined : this.custom.definitionOf(resource.group, resource.resource)
    return (definition && customTable(definition, resource.version)) ?? tableFor(resource)
  }
}
