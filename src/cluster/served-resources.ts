// What is served now, as routing, discovery and controllers see it: what is built in, and custom resources as they
// come and go.
import { builtinResources, type ResourceInfo } from '../api/resources.ts'
import { ResourceIndex } from '../apiserver/discovery/resource-index.ts'
import { metricsResources } from '../apiserver/metrics-api/metrics-api.ts'
import type { CustomResources } from '../apiserver/registry/custom/custom-resources.ts'
import { customTable } from '../apiserver/tables/custom-table.ts'
import type { TableKind } from '../apiserver/tables/table.ts'
import { tableFor } from '../apiserver/tables/table-for.ts'
import { MutableCatalog, resourceOfKind } from '../client/resource-catalog.ts'

export class ServedResources {
  readonly index = new ResourceIndex([...builtinResources, ...metricsResources])
  /** Without what is computed and never stored. */
  readonly catalog = new MutableCatalog()
  readonly custom: CustomResources

  constructor(custom: CustomResources) {
    this.custom = custom
    custom.subscribe(() => {
      const own = custom.resources()
      this.index.replace([...builtinResources, ...own, ...metricsResources])
      this.catalog.replace([...builtinResources, ...own])
    })
  }

  /** The resource that serves a kind; undefined when nothing does. */
  resourceOf(apiVersion: string, kind: string): ResourceInfo | undefined {
    return resourceOfKind(this.catalog.list(), { apiVersion, kind })
  }

  readonly tableFor = (resource: { group: string; version: string; resource: string }): TableKind => {
    const definition = this.custom.definitionOf(resource.group, resource.resource)
    return (definition && customTable(definition, resource.version)) ?? tableFor(resource)
  }
}
