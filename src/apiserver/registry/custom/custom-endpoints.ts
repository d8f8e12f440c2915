// Makes the endpoints of one CustomResourceDefinition: one for each version that is served.
import { applySchemaDefaults, lacksDefaults, prune } from '../../../api/custom/prune.ts'
import type { KubeObject } from '../../../api/kube-object.ts'
import type { ResourceInfo, SubresourceInfo } from '../../../api/resources.ts'
import type { DecodedObject, FieldValidation } from '../../../api/schema/decode-object.ts'
import { normalise } from '../../../api/schema/normalise.ts'
import { typeOf } from '../../../api/schema/type-facts.ts'
import { badRequest } from '../../../api/status-error.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion as Version,
} from '../../../api/types/apiextensions-v1.ts'
import { deepFreeze } from '../../../base/deep-freeze.ts'
import type { WebhookClientParts } from '../../admission/webhook/webhook-client.ts'
import { shapeOfCustomKind } from '../../managed-fields/shape.ts'
import type { Conversion, Endpoint } from '../endpoint.ts'
import { ResourceStore } from '../resource-store.ts'
import { type Converter, webhookConverter } from './conversion-webhook.ts'
import { CustomStrategy } from './custom-strategy.ts'

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const
const SUBRESOURCE_VERBS = ['get', 'patch', 'update'] as const

export interface EndpointParts {
  storeParts: Omit<ConstructorParameters<typeof ResourceStore>[0], 'info' | 'strategy' | 'prefix'>
  readerFor(store: ResourceStore): Endpoint['reader']
  webhooks: WebhookClientParts
}

export function resourceInfoOf({ spec }: CustomResourceDefinition, version: Version): ResourceInfo {
  const { names, group } = spec
  return {
    group,
    version: version.name,
    resource: names.plural,
    kind: names.kind,
    namespaced: spec.scope === 'Namespaced',
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: VERBS,
    subresources: subresourcesOf(names.kind, version),
  }
}

function subresourcesOf(kind: string, { subresources }: Version): SubresourceInfo[] {
  const scale = {
    name: 'scale',
    kind: 'Scale',
    group: 'autoscaling',
    version: 'v1',
    verbs: SUBRESOURCE_VERBS,
  }
  return [
    ...(subresources?.scale ? [scale] : []),
    ...(subresources?.status ? [{ name: 'status', kind, verbs: SUBRESOURCE_VERBS }] : []),
  ]
}

/** Newest versions first, as discovery prefers them. */
export function endpointsOf(definition: CustomResourceDefinition, parts: EndpointParts): Endpoint[] {
  const { spec } = definition
  const stored = spec.versions.find(({ storage }) => storage)
  if (!stored) return []
  const convert = webhookConverter(definition, parts.webhooks)
  const prefix = `/registry/${spec.group}/${spec.names.plural}/`
  return spec.versions
    .filter(({ served }) => served)
    .map(version => {
      const info = resourceInfoOf(definition, version)
      const store = new ResourceStore({
        ...parts.storeParts,
        info,
        // What another makes of an object is held against the schema of what is stored.
        strategy: new CustomStrategy(info, convert ? { ...version, schema: stored.schema } : version),
        prefix,
      })
      return {
        info,
        store,
        reader: parts.readerFor(store),
        conversion: convert
          ? webhookConversion(definition, version, stored, convert)
          : conversionOf(definition, version, stored),
        decode: (body, validation, problems) => decodeCustom(body, info, version, validation, problems),
        shape: shapeOfCustomKind(version.schema?.openAPIV3Schema),
        ...(version.subresources?.scale && { scalePaths: version.subresources.scale }),
        ...(version.deprecated && { deprecation: deprecationOf(info, version) }),
      } satisfies Endpoint
    })
}

function deprecationOf({ group, version, kind }: ResourceInfo, { deprecationWarning }: Version): string {
  return deprecationWarning ?? `${group}/${version} ${kind} is deprecated`
}

/** Versions differ in name only; each reads with the defaults of its own schema. */
function conversionOf({ spec }: CustomResourceDefinition, version: Version, stored: Version): Conversion {
  const [apiVersion, storedVersion] = [`${spec.group}/${version.name}`, `${spec.group}/${stored.name}`]
  const schema = version.schema?.openAPIV3Schema
  const seen = new WeakMap<KubeObject, KubeObject>()
  return {
    toStored: object => ({ ...object, apiVersion: storedVersion }),
    fromStored(object) {
      if (object.apiVersion === apiVersion && !lacksDefaults(object, schema)) return object
      const known = seen.get(object)
      if (known) return known
      const converted = { ...structuredClone(object), apiVersion }
      if (version.name !== stored.name) prune(converted, schema)
      applySchemaDefaults(converted, schema)
      seen.set(object, deepFreeze(converted))
      return converted
    },
  }
}

/** Versions that a webhook turns into each other; what it made of a stored object is remembered. */
function webhookConversion(
  { spec }: CustomResourceDefinition,
  version: Version,
  stored: Version,
  convert: Converter,
): Conversion {
  const [apiVersion, storedVersion] = [`${spec.group}/${version.name}`, `${spec.group}/${stored.name}`]
  const seen = new WeakMap<KubeObject, KubeObject>()
  return {
    async toStored(object) {
      if (apiVersion === storedVersion) return object
      const [converted] = await convert([object], storedVersion)
      return structuredClone(converted!)
    },
    async prepare(objects) {
      const missing = objects.filter(object => object.apiVersion !== apiVersion && !seen.has(object))
      if (missing.length === 0) return
      for (const [index, converted] of (await convert(missing, apiVersion)).entries()) {
        applySchemaDefaults(converted, version.schema?.openAPIV3Schema)
        seen.set(missing[index]!, deepFreeze(converted))
      }
    },
    fromStored: object => (object.apiVersion === apiVersion ? object : (seen.get(object) ?? object)),
  }
}

function decodeCustom(
  body: unknown,
  { kind, group, version: versionName }: ResourceInfo,
  { schema }: Version,
  validation: FieldValidation = 'Ignore',
  problems: readonly string[] = [],
): DecodedObject {
  const { metadata, ...rest } = structuredClone(body) as Record<string, unknown>
  const findings = { unknown: [] as string[], warnings: [] as string[] }
  const meta = decodeMetadata(metadata, kind, versionName, findings)
  const object = {
    ...rest,
    apiVersion: `${group}/${versionName}`,
    kind,
    metadata: meta,
  } as unknown as KubeObject
  const openApi = schema?.openAPIV3Schema
  const unknown = [...prune(object, openApi), ...findings.unknown.map(path => `metadata.${path}`)]
  applySchemaDefaults(object, openApi)
  const texts = [...problems, ...unknown.map(path => `unknown field ${JSON.stringify(path)}`)]
  if (validation === 'Strict' && texts.length > 0) {
    throw cannotBeHandled(kind, versionName, `strict decoding error: ${texts.join(', ')}`)
  }
  return { object, warnings: [...findings.warnings, ...(validation === 'Warn' ? texts : [])] }
}

function decodeMetadata(
  metadata: unknown,
  kind: string,
  version: string,
  findings: { unknown: string[]; warnings: string[] },
): unknown {
  try {
    return normalise(typeOf('meta/v1.ObjectMeta'), metadata ?? {}, findings)
  } catch (error) {
    throw cannotBeHandled(kind, version, error instanceof Error ? error.message : String(error))
  }
}

const cannotBeHandled = (kind: string, version: string, why: string) =>
  badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`)
