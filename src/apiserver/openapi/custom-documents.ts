// Custom resources in the OpenAPI documents: a document of its own for each of their group versions, and definitions
// in the one document of version 2. Upstream: apiextensions-apiserver pkg/controller/openapi/builder.
import { createHash } from 'node:crypto'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion as Version,
} from '../../api/types/apiextensions-v1.ts'
import type { OpenApiSource } from '../discovery/discovery-handler.ts'
import { encodeGnosticDocument } from './gnostic.ts'
import { type Json, schemaClosure } from './schemas.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const META_TYPES = ['meta/v1.ObjectMeta', 'meta/v1.ListMeta', 'meta/v1.Status', 'meta/v1.DeleteOptions']
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
]

interface Served {
  definition: CustomResourceDefinition
  version: Version
}

/** The built-in documents with those of the definitions that are served. */
export function withCustomDocuments(
  builtin: OpenApiSource,
  definitions: () => readonly CustomResourceDefinition[],
): OpenApiSource {
  const served = (): Served[] =>
    definitions().flatMap(definition =>
      definition.spec.versions.filter(({ served: is }) => is).map(version => ({ definition, version })),
    )
  const v2 = (): Json => {
    const document = builtin.v2Json() as Json & { paths: Json; definitions: Json }
    const all = served()
    return {
      ...document,
      paths: { ...document.paths, ...pathsOf(all, 2) },
      definitions: { ...document.definitions, ...schemasOf(all, 2) },
    }
  }
  return {
    v2Json: v2,
    v2Protobuf: () => (definitions().length > 0 ? encodeGnosticDocument(v2()) : builtin.v2Protobuf()),
    v3Index() {
      const index = builtin.v3Index() as { paths: Json }
      return { paths: { ...index.paths, ...indexOf(served()) } }
    },
    v3(path) {
      const found = served().filter(one => v3Path(one) === path)
      return found.length > 0 ? documentOf(found) : builtin.v3(path)
    },
  }
}

const v3Path = ({ definition, version }: Served) => `apis/${definition.spec.group}/${version.name}`

function indexOf(all: readonly Served[]): Json {
  const paths: Json = {}
  for (const path of new Set(all.map(v3Path))) {
    const facts = all
      .filter(one => v3Path(one) === path)
      .map(({ version, definition }) => [definition.spec.names, version])
    const hash = createHash('sha256').update(JSON.stringify(facts)).digest('hex').toUpperCase()
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }
  }
  return paths
}

function documentOf(served: readonly Served[]): Json {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' },
    paths: pathsOf(served, 3),
    components: { schemas: { ...schemaClosure(new Set(META_TYPES), 3), ...schemasOf(served, 3) } },
  }
}

const schemaName = ({ definition: { spec }, version }: Served) =>
  `${spec.group.split('.').reverse().join('.')}.${version.name}.${spec.names.kind}`

const reference = (name: string, openApi: 2 | 3) => ({
  $ref: `#/${openApi === 2 ? 'definitions' : 'components/schemas'}/${name}`,
})

function kindOf({ definition: { spec }, version }: Served, kind = spec.names.kind) {
  return { group: spec.group, version: version.name, kind }
}

function schemasOf(served: readonly Served[], openApi: 2 | 3): Json {
  const schemas: Json = {}
  for (const one of served) {
    const { names } = one.definition.spec
    const schema = (one.version.schema?.openAPIV3Schema ?? {}) as Json
    const text = (description: string) => ({ type: 'string', description })
    const own = {
      apiVersion: text('APIVersion defines the group and version that the object is written in.'),
      kind: text('Kind of the object.'),
    }
    schemas[schemaName(one)] = {
      ...(openApi === 2 && schema['x-kubernetes-preserve-unknown-fields'] === true
        ? // With properties, kubectl would take all others for mistakes. Upstream: buildKubeNative.
          { type: 'object' }
        : objectSchema(openApi === 2 ? forVersion2(schema) : schema, own, openApi)),
      'x-kubernetes-group-version-kind': [kindOf(one)],
    }
    const listKind = names.listKind ?? `${names.kind}List`
    schemas[`${schemaName(one)}List`] = {
      description: `A list of ${names.kind}.`,
      type: 'object',
      required: ['items'],
      properties: {
        ...own,
        items: { type: 'array', items: reference(schemaName(one), openApi) },
        metadata: reference(`${META}ListMeta`, openApi),
      },
      'x-kubernetes-group-version-kind': [kindOf(one, listKind)],
    }
  }
  return schemas
}

const METADATA = "Standard object's metadata: its name, labels, owners and versions."

const objectSchema = (schema: Json, typeMeta: Json, openApi: 2 | 3): Json => ({
  ...schema,
  type: 'object',
  properties: {
    ...(schema.properties as Json | undefined),
    ...typeMeta,
    metadata: {
      description: METADATA,
      ...(openApi === 2
        ? reference(`${META}ObjectMeta`, 2)
        : { allOf: [reference(`${META}ObjectMeta`, 3)], default: {} }),
    },
  },
})

/** Version 2 knows no oneOf, anyOf, not and nullable; kubectl reads the rest. Upstream: ToStructuralOpenAPIV2. */
function forVersion2(schema: Json): Json {
  const { oneOf: _, anyOf: __, not: ___, allOf: ____, nullable, default: _____, ...rest } = schema
  const isOpen =
    rest['x-kubernetes-preserve-unknown-fields'] === true ||
    rest['x-kubernetes-int-or-string'] === true ||
    nullable === true
  const map = (value: unknown) =>
    typeof value === 'object' && value !== null ? forVersion2(value as Json) : value
  const { type, properties, items, additionalProperties, ...others } = rest
  return {
    ...others,
    ...(type !== undefined && !isOpen && { type }),
    ...(properties !== undefined &&
      !isOpen && {
        properties: Object.fromEntries(
          Object.entries(properties as Json).map(([key, value]) => [key, map(value)]),
        ),
      }),
    ...(items !== undefined && !isOpen && { items: map(items) }),
    ...(additionalProperties !== undefined && !isOpen && { additionalProperties: map(additionalProperties) }),
  }
}

function pathsOf(served: readonly Served[], openApi: 2 | 3): Json {
  const paths: Json = {}
  for (const one of served) {
    const { spec } = one.definition
    const base = `/apis/${spec.group}/${one.version.name}`
    const collection = `${base}/${spec.scope === 'Namespaced' ? 'namespaces/{namespace}/' : ''}${spec.names.plural}`
    const operation = (action: string, name: string, body?: 'object' | 'patch' | 'delete') =>
      operationOf(one, action, name, body, openApi)
    paths[collection] = {
      get: operation('list', `${schemaName(one)}List`),
      post: operation('post', schemaName(one), 'object'),
      delete: operation('deletecollection', `${META}Status`, 'delete'),
      parameters: parametersIn(collection, openApi),
    }
    const object = {
      get: operation('get', schemaName(one)),
      put: operation('put', schemaName(one), 'object'),
      patch: operation('patch', schemaName(one), 'patch'),
    }
    paths[`${collection}/{name}`] = {
      ...object,
      delete: operation('delete', `${META}Status`, 'delete'),
      parameters: parametersIn(`${collection}/{name}`, openApi),
    }
    if (one.version.subresources?.status) {
      paths[`${collection}/{name}/status`] = {
        ...object,
        parameters: parametersIn(`${collection}/{name}`, openApi),
      }
    }
  }
  return paths
}

function operationOf(
  one: Served,
  action: string,
  answers: string,
  body: 'object' | 'patch' | 'delete' | undefined,
  openApi: 2 | 3,
): Json {
  const sent = body === 'delete' ? `${META}DeleteOptions` : body === 'patch' ? undefined : schemaName(one)
  const schema = sent ? reference(sent, openApi) : { type: 'object' }
  const types = body === 'patch' ? PATCH_TYPES : ['application/json', 'application/yaml']
  const content = Object.fromEntries(types.map(type => [type, { schema }]))
  const queries = body === 'object' || body === 'patch' ? ['dryRun', 'fieldManager', 'fieldValidation'] : []
  const parameters = queries.map(name => parameter(name, 'query', openApi))
  const ok =
    openApi === 2
      ? { description: 'OK', schema: reference(answers, 2) }
      : { description: 'OK', content: { 'application/json': { schema: reference(answers, 3) } } }
  return {
    ...(openApi === 2 && { consumes: types, produces: ['application/json', 'application/yaml'] }),
    ...(body && openApi === 3 && { requestBody: { content } }),
    parameters: [...parameters, ...(body && openApi === 2 ? [{ name: 'body', in: 'body', schema }] : [])],
    responses: { 200: ok },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(one),
  }
}

function parametersIn(path: string, openApi: 2 | 3): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(found => ({
    ...parameter(found[1]!, 'path', openApi),
    required: true,
  }))
}

function parameter(name: string, where: 'path' | 'query', openApi: 2 | 3): Json {
  const type = { type: 'string', uniqueItems: true }
  return { name, in: where, ...(openApi === 2 ? type : { schema: type }) }
}
