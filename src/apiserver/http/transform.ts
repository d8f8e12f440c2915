// Converts an answer's object into what the client asked for with `as=`: a table or metadata only.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { badRequest } from '../../api/status-error.ts'
import type { PassiveClock } from '../../base/clock.ts'
import {
  buildTable,
  type IncludeObject,
  partialMetadata,
  partialMetadataList,
  type TableKind,
} from '../tables/table.ts'
import { notAcceptable, type Representation } from './negotiate.ts'

export type TableLookup = (resource: ResourceInfo) => TableKind

export interface TransformOptions {
  representation: Representation
  resource: ResourceInfo
  query: URLSearchParams
  tables: TableLookup
  clock: PassiveClock
}

/**
 * One function per answer: a watch calls it for every event, and only its first table carries columns.
 * Throws BadRequest for a bad includeObject.
 */
export function transformer(options: TransformOptions): (object: KubeObject) => object {
  const { as } = options.representation
  if (!as) return object => object
  if (as.kind === 'Table') return tableTransformer(options, as.version)
  const wantsList = as.kind === 'PartialObjectMetadataList'
  return object => {
    if (isStatus(object)) return object
    const isList = Array.isArray(object.items)
    if (isList !== wantsList) throw notAcceptable([`application/json;as=${as.kind}`])
    return isList ? partialMetadataList(object, as.version) : partialMetadata(object, as.version)
  }
}

function tableTransformer(
  options: TransformOptions,
  version: 'v1' | 'v1beta1',
): (object: KubeObject) => object {
  const includeObject = parseIncludeObject(options.query.get('includeObject'))
  const kind = options.tables(options.resource)
  let withoutColumns = false
  return object => {
    if (isStatus(object)) return object
    const table = buildTable(object, kind, {
      version,
      includeObject,
      now: options.clock.now(),
      withoutColumns,
    })
    withoutColumns = true
    return table
  }
}

function isStatus(object: KubeObject): boolean {
  return object.kind === 'Status' && object.apiVersion === 'v1'
}

function parseIncludeObject(text: string | null): IncludeObject {
  if (text === null || text === '') return 'Metadata'
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(text)}`)
}
