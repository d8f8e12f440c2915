// The operations of a group version's resources as OpenAPI paths, the same for versions 2 and 3 up to where
// bodies and parameter types are written.
import type { ResourceInfo, SubresourceInfo } from '../../api/resources.ts'
import { builtinResources } from '../../api/resources.ts'
import { findType } from '../../api/schema/type-facts.ts'
import { schemaName } from './schema-names.ts'
import type { Json, OpenApiVersion } from './schemas.ts'

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const BODY_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

type Method = 'get' | 'put' | 'post' | 'delete' | 'patch'

interface Operation {
  method: Method
  /** x-kubernetes-action. */
  action: string
  /** Type name in src/api/schema of what is sent. */
  sends?: string
  /** Type name of what is answered. */
  answers?: string
  parameters: string[]
}

const WRITE = ['dryRun', 'fieldManager', 'fieldValidation']
const LIST = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
]
const DELETE = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy']
const PARAMETER_TYPES: Record<string, string> = {
  allowWatchBookmarks: 'boolean',
  force: 'boolean',
  gracePeriodSeconds: 'integer',
  limit: 'integer',
  orphanDependents: 'boolean',
  sendInitialEvents: 'boolean',
  timeoutSeconds: 'integer',
  watch: 'boolean',
}

/** Type names (as in src/api/schema) that the paths of a group version refer to. */
export function typesOfPaths(group: string, version: string): Set<string> {
  const types = new Set<string>(['meta/v1.WatchEvent'])
  for (const info of resourcesOf(group, version)) {
    for (const { operations } of pathsOf(info)) {
      for (const { sends, answers } of operations)
        for (const type of [sends, answers]) if (type) types.add(type)
    }
  }
  return types
}

export function buildPaths(group: string, version: string, openApi: OpenApiVersion): Record<string, Json> {
  const paths: [string, Json][] = []
  for (const info of resourcesOf(group, version)) {
    for (const { path, operations, kind } of pathsOf(info)) {
      const item: Json = {}
      for (const operation of operations)
        item[operation.method] = operationJson(path, operation, kind, openApi)
      item.parameters = [...path.matchAll(/\{(\w+)\}/g)].map(found => ({
        ...parameter(found[1]!, 'path', 'string', openApi),
        required: true,
      }))
      paths.push([path, item])
    }
  }
  return Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const resourcesOf = (group: string, version: string) =>
  builtinResources.filter(info => info.group === group && info.version === version)

interface PathOperations {
  path: string
  kind: { group: string; version: string; kind: string }
  operations: Operation[]
}

function pathsOf(info: ResourceInfo): PathOperations[] {
  const base = info.group ? `/apis/${info.group}/${info.version}` : `/api/${info.version}`
  const collection = `${base}${info.namespaced ? '/namespaces/{namespace}' : ''}/${info.resource}`
  const kind = { group: info.group, version: info.version, kind: info.kind }
  const list = collectionOperations(info)
  const result: PathOperations[] = [
    { path: collection, kind, operations: list },
    { path: `${collection}/{name}`, kind, operations: objectOperations(info.verbs, typeName(kind)) },
  ]
  const listOnly = list.filter(operation => operation.action === 'list')
  if (info.namespaced && listOnly.length > 0) {
    result.push({ path: `${base}/${info.resource}`, kind, operations: listOnly })
  }
  for (const sub of info.subresources) {
    const subKind = { group: sub.group ?? info.group, version: sub.version ?? info.version, kind: sub.kind }
    result.push({
      path: `${collection}/{name}/${sub.name}`,
      kind: subKind,
      operations: subOperations(sub, subKind),
    })
  }
  return result.filter(({ operations }) => operations.length > 0)
}

function typeName(kind: { group: string; version: string; kind: string }): string | undefined {
  return findType(kind.group ? `${kind.group}/${kind.version}` : kind.version, kind.kind)?.name
}

function collectionOperations(info: ResourceInfo): Operation[] {
  const type = typeName(info)
  const listType = typeName({ ...info, kind: `${info.kind}List` })
  const operations: Operation[] = []
  if (info.verbs.includes('list') && listType) {
    operations.push({ method: 'get', action: 'list', answers: listType, parameters: LIST })
  }
  if (info.verbs.includes('create') && type) {
    operations.push({ method: 'post', action: 'post', sends: type, answers: type, parameters: WRITE })
  }
  if (info.verbs.includes('deletecollection')) {
    operations.push({
      method: 'delete',
      action: 'deletecollection',
      sends: 'meta/v1.DeleteOptions',
      answers: 'meta/v1.Status',
      parameters: [
        ...DELETE,
        ...LIST.filter(name => !name.startsWith('watch') && name !== 'allowWatchBookmarks'),
      ],
    })
  }
  return operations
}

function objectOperations(verbs: readonly string[], type: string | undefined): Operation[] {
  if (!type) return []
  const operations: Operation[] = []
  if (verbs.includes('get')) operations.push({ method: 'get', action: 'get', answers: type, parameters: [] })
  if (verbs.includes('update')) {
    operations.push({ method: 'put', action: 'put', sends: type, answers: type, parameters: WRITE })
  }
  if (verbs.includes('patch')) {
    const parameters = [...WRITE, 'force']
    operations.push({ method: 'patch', action: 'patch', sends: 'meta/v1.Patch', answers: type, parameters })
  }
  if (verbs.includes('delete')) {
    const [sends, answers] = ['meta/v1.DeleteOptions', 'meta/v1.Status']
    operations.push({ method: 'delete', action: 'delete', sends, answers, parameters: DELETE })
  }
  return operations
}

/** exec, attach, portforward and proxy are connected to: their methods answer with a stream. */
function subOperations(
  sub: SubresourceInfo,
  kind: { group: string; version: string; kind: string },
): Operation[] {
  if (sub.kind.endsWith('Options')) {
    const methods: Record<string, Method> = {
      create: 'post',
      delete: 'delete',
      get: 'get',
      patch: 'patch',
      update: 'put',
    }
    return sub.verbs.map(verb => ({ method: methods[verb]!, action: 'connect', parameters: [] }))
  }
  const type = typeName(kind)
  if (sub.name === 'log')
    return [{ method: 'get', action: 'get', parameters: ['container', 'follow', 'tailLines'] }]
  const operations = objectOperations(sub.verbs, type)
  if (sub.verbs.includes('create') && type) {
    operations.push({ method: 'post', action: 'post', sends: type, answers: type, parameters: WRITE })
  }
  return operations
}

function operationJson(
  path: string,
  { method, action, sends, answers, parameters }: Operation,
  kind: { group: string; version: string; kind: string },
  openApi: OpenApiVersion,
): Json {
  const query = parameters.map(name => parameter(name, 'query', PARAMETER_TYPES[name] ?? 'string', openApi))
  const types = action === 'patch' ? PATCH_TYPES : BODY_TYPES
  const common = {
    operationId: operationId(path, method),
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: kind.group, kind: kind.kind, version: kind.version },
  }
  if (openApi === 2) {
    const body = sends
      ? [{ name: 'body', in: 'body', required: action !== 'delete', schema: reference(sends, 2) }]
      : []
    return {
      ...common,
      ...(sends && { consumes: action === 'patch' ? PATCH_TYPES : ['*/*'] }),
      produces: answers ? BODY_TYPES : ['*/*'],
      parameters: [...body, ...query],
      responses: { '200': { description: 'OK', ...(answers && { schema: reference(answers, 2) }) } },
    }
  }
  const content = (type: string, all: string[]) =>
    Object.fromEntries(all.map(name => [name, { schema: reference(type, 3) }]))
  return {
    ...common,
    ...(query.length > 0 && { parameters: query }),
    ...(sends && { requestBody: { content: content(sends, action === 'patch' ? types : ['*/*']) } }),
    responses: { '200': { description: 'OK', ...(answers && { content: content(answers, BODY_TYPES) }) } },
  }
}

function reference(type: string, openApi: OpenApiVersion): Json {
  return { $ref: `${openApi === 2 ? '#/definitions/' : '#/components/schemas/'}${schemaName(type)}` }
}

function parameter(name: string, where: string, type: string, openApi: OpenApiVersion): Json {
  const base = { name, in: where }
  return openApi === 2
    ? { ...base, type, uniqueItems: true }
    : { ...base, schema: { type, uniqueItems: true } }
}

function operationId(path: string, method: string): string {
  const words = path.split('/').map(word => word.replace(/\W/g, ''))
  return method + words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
