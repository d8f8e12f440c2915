import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findType, typeOf } from '../../api/schema/type-facts.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'
import { descriptionText } from './descriptions.ts'
import {
  buildOpenApiV2,
  encodeOpenApiV2Protobuf,
  openApiSource,
  openApiV3Index,
} from './openapi-documents.ts'
import type { Json } from './schemas.ts'

function references(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) references(item, found)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '$ref' && typeof item === 'string') found.add(item)
      else references(item, found)
    }
  }
  return found
}

function at(document: unknown, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((value, key) => (value as Json | undefined)?.[key], document)
}

const v3Paths = () => Object.keys(openApiV3Index().paths as Json)

test('no document has a dangling reference', () => {
  for (const document of [buildOpenApiV2(), ...v3Paths().map(openApiSource.v3)]) {
    const all = references(document)
    assert.ok(all.size > 5)
    for (const pointer of all) assert.equal(typeof at(document, pointer), 'object', pointer)
  }
})

test('the index names every group version with a hash', () => {
  assert.ok(v3Paths().includes('api/v1') && v3Paths().includes('apis/apps/v1'))
  const { serverRelativeURL } = (openApiV3Index().paths as Record<string, { serverRelativeURL: string }>)[
    'api/v1'
  ]!
  assert.match(serverRelativeURL, /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{64}$/)
  assert.equal(openApiSource.v3('apis/apps/v9'), undefined)
})

test('patch and apply facts are in the schema of containers', () => {
  const document = openApiSource.v3('api/v1')
  const podSpec = at(document, '#/components/schemas/io.k8s.api.core.v1.PodSpec') as {
    properties: Json
    required: string[]
  }
  assert.deepEqual(podSpec.required, ['containers'])
  const { description, ...containers } = podSpec.properties.containers as Json
  assert.match(description as string, /containers of the Pod/)
  assert.deepEqual(containers, {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'name',
    type: 'array',
    items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }], default: {} },
  })
})

test('patch operations offer fieldValidation and dryRun and name their kind', () => {
  const path = (openApiSource.v3('apis/apps/v1')!.paths as Json)[
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}'
  ] as { patch: Json & { parameters: { name: string }[] } }
  const names = path.patch.parameters.map(parameter => parameter.name)
  assert.deepEqual(names, ['dryRun', 'fieldManager', 'fieldValidation', 'force'])
  assert.deepEqual(path.patch['x-kubernetes-group-version-kind'], {
    group: 'apps',
    kind: 'Deployment',
    version: 'v1',
  })
})

test('the protobuf form carries definitions, paths and extensions', () => {
  const codec = codecFromTable({
    Document: 'swagger=1:string paths=8:Paths definitions=9:Definitions',
    Paths: 'path=2:[]Named',
    Definitions: 'all=1:[]NamedSchema',
    Named: 'name=1:string',
    NamedSchema: 'name=1:string value=2:Schema',
    Schema: 'extensions=31:[]Extension properties=25:Definitions',
    Extension: 'name=1:string value=2:Any',
    Any: 'yaml=2:string',
  })
  const document = codec.decode('Document', encodeOpenApiV2Protobuf()) as {
    swagger: string
    paths: { path: { name: string }[] }
    definitions: {
      all: { name: string; value: { extensions: { name: string; value: { yaml: string } }[] } }[]
    }
  }
  const v2 = buildOpenApiV2()
  assert.equal(document.swagger, '2.0')
  assert.deepEqual(
    document.paths.path.map(({ name }) => name),
    Object.keys(v2.paths as Json),
  )
  assert.deepEqual(
    document.definitions.all.map(({ name }) => name),
    Object.keys(v2.definitions as Json),
  )
  const pod = document.definitions.all.find(({ name }) => name === 'io.k8s.api.core.v1.Pod')!
  assert.equal(pod.value.extensions[0]!.value.yaml, '[{"group":"","kind":"Pod","version":"v1"}]')
})

test('every description is about a type or field that exists', () => {
  for (const line of descriptionText.split('\n').filter(text => text.includes(': '))) {
    for (const key of line.slice(0, line.indexOf(': ')).split(' | ')) {
      const [, type, field] = /^(\w+\/\w+\.\w+)(?:\.(\w+))?$/.exec(key) ?? []
      if (type && field) assert.ok(typeOf(type).byName.has(field), key)
      else if (type) assert.ok(typeOf(type), key)
    }
  }
  assert.ok(findType('v1', 'Pod'))
})
