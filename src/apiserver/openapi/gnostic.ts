// An OpenAPI 2 document as gnostic's openapi.v2.Document message, which older clients (kubectl 1.20, Helm 3) ask for.
// Covers what openapi-documents.ts writes, not all of OpenAPI.
import { codecFromTable } from '../../base/protobuf/message-table.ts'
import type { Json } from './schemas.ts'

const codec = codecFromTable({
  Document: 'swagger=1:string info=2:Info paths=8:Paths definitions=9:NamedSchemas',
  Info: 'title=1:string version=2:string',
  Paths: 'path=2:[]NamedPathItem',
  NamedPathItem: 'name=1:string value=2:PathItem',
  PathItem:
    'get=2:Operation put=3:Operation post=4:Operation delete=5:Operation patch=8:Operation parameters=9:[]ParametersItem',
  Operation:
    'operationId=5:string produces=6:[]string consumes=7:[]string parameters=8:[]ParametersItem responses=9:Responses extensions=13:[]NamedAny',
  ParametersItem: 'parameter=1:Parameter',
  Parameter: 'body=1:BodyParameter nonBody=2:NonBodyParameter',
  BodyParameter: 'name=2:string in=3:string required=4:bool schema=5:Schema',
  NonBodyParameter: 'query=3:QueryParameter path=4:PathParameter',
  QueryParameter: 'required=1:bool in=2:string name=4:string type=6:string uniqueItems=20:bool',
  PathParameter: 'required=1:bool in=2:string name=4:string type=5:string uniqueItems=19:bool',
  Responses: 'responseCode=1:[]NamedResponse',
  NamedResponse: 'name=1:string value=2:ResponseValue',
  ResponseValue: 'response=1:Response',
  Response: 'description=1:string schema=2:SchemaItem',
  SchemaItem: 'schema=1:Schema',
  NamedSchemas: 'additionalProperties=1:[]NamedSchema',
  NamedSchema: 'name=1:string value=2:Schema',
  Schema:
    'ref=1:string format=2:string description=4:string required=19:[]string enum=20:[]Any additionalProperties=21:AdditionalProperties type=22:Type items=23:Items properties=25:NamedSchemas extensions=31:[]NamedAny',
  AdditionalProperties: 'schema=1:Schema',
  Type: 'value=1:[]string',
  Items: 'schema=1:[]Schema',
  NamedAny: 'name=1:string value=2:Any',
  Any: 'yaml=2:string',
})

export function encodeGnosticDocument(document: Json): Uint8Array {
  return codec.encode('Document', {
    swagger: document.swagger,
    info: document.info,
    paths: { path: named(document.paths, pathItem) },
    definitions: { additionalProperties: named(document.definitions, schema) },
  })
}

function named(object: unknown, convert: (value: Json) => Json): Json[] {
  return Object.entries(object as Record<string, Json>).map(([name, value]) => ({
    name,
    value: convert(value),
  }))
}

/** 'x-…' entries; their values are YAML, of which JSON is a part. */
function extensions(object: Json): Json[] {
  return Object.entries(object)
    .filter(([name]) => name.startsWith('x-'))
    .map(([name, value]) => ({ name, value: { yaml: JSON.stringify(value) } }))
}

function pathItem(item: Json): Json {
  const { parameters, ...methods } = item
  const operations = Object.entries(methods).map(([method, value]) => [method, operation(value as Json)])
  return { ...Object.fromEntries(operations), parameters: (parameters as Json[]).map(parametersItem) }
}

function operation(value: Json): Json {
  return {
    ...value,
    parameters: (value.parameters as Json[]).map(parametersItem),
    responses: {
      responseCode: named(value.responses, response => ({
        response: {
          description: response.description,
          ...(response.schema !== undefined && { schema: { schema: schema(response.schema as Json) } }),
        },
      })),
    },
    extensions: extensions(value),
  }
}

function parametersItem(parameter: Json): Json {
  if (parameter.in === 'body') {
    return { parameter: { body: { ...parameter, schema: schema(parameter.schema as Json) } } }
  }
  return { parameter: { nonBody: { [parameter.in as string]: parameter } } }
}

function schema(value: Json): Json {
  const { $ref, type, items, properties, additionalProperties } = value
  return {
    format: value.format,
    description: value.description,
    required: value.required,
    ...($ref !== undefined && { ref: $ref }),
    ...(type !== undefined && { type: { value: [type] } }),
    ...(items !== undefined && { items: { schema: [schema(items as Json)] } }),
    ...(properties !== undefined && { properties: { additionalProperties: named(properties, schema) } }),
    ...(additionalProperties !== undefined && {
      additionalProperties: { schema: schema(additionalProperties as Json) },
    }),
    ...(value.enum !== undefined && {
      enum: (value.enum as string[]).map(entry => ({ yaml: JSON.stringify(entry) })),
    }),
    extensions: extensions(value),
  }
}
