// The documents behind /openapi/v2 and /openapi/v3, built when first asked for. Serving, tagging and compressing
// them is the business of discovery/.
import { createHash } from 'node:crypto'
import { apiGroups, builtinResources } from '../../api/resources.ts'
import { typeLines } from '../../api/schema/schema.generated.ts'
import { descriptionText } from './descriptions.ts'
import { encodeGnosticDocument } from './gnostic.ts'
import { buildPaths, typesOfPaths } from './paths.ts'
import { type Json, schemaClosure } from './schemas.ts'

/** Changed when the code here makes different documents of the same facts. */
const REVISION = '1'
const VERSION = 'v1.36.2'

function cached<T>(build: () => T): () => T {
  let value: { built: T } | undefined
  return () => {
    value ??= { built: build() }
    return value.built
  }
}

/** Group versions with documents of their own. */
function groupVersions(): { group: string; version: string }[] {
  const named = apiGroups.flatMap(({ group, versions }) => versions.map(version => ({ group, version })))
  return [{ group: '', version: 'v1' }, ...named]
}

/** 'api/v1', 'apis/apps/v1': what follows /openapi/v3/. */
const v3Path = (group: string, version: string) => (group ? `apis/${group}/${version}` : `api/${version}`)

/** Names what all documents are made from, so that it can be told without making them. */
const hash = cached(() => {
  const facts = JSON.stringify([REVISION, VERSION, typeLines, descriptionText, builtinResources])
  return createHash('sha256').update(facts).digest('hex').toUpperCase()
})

/** The body of /openapi/v3. The hash lets clients keep documents for ever. */
export const openApiV3Index: () => Json = cached(() => ({
  paths: Object.fromEntries(
    groupVersions()
      .map(({ group, version }) => v3Path(group, version))
      .sort()
      .map(path => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash()}` }]),
  ),
}))

/** The document of one group version; undefined when it is not served. Built anew at every call. */
export function buildOpenApiV3(group: string, version: string): Json | undefined {
  if (!groupVersions().some(other => other.group === group && other.version === version)) return undefined
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: VERSION },
    paths: buildPaths(group, version, 3),
    components: { schemas: schemaClosure(typesOfPaths(group, version), 3) },
  }
}

/** One document of all group versions. Built anew at every call. */
export function buildOpenApiV2(): Json {
  const all = groupVersions()
  const types = new Set(all.flatMap(({ group, version }) => [...typesOfPaths(group, version)]))
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: VERSION },
    paths: Object.assign({}, ...all.map(({ group, version }) => buildPaths(group, version, 2))),
    definitions: schemaClosure(types, 2),
  }
}

/** buildOpenApiV2's document as gnostic's openapi.v2.Document message. */
export function encodeOpenApiV2Protobuf(): Uint8Array {
  return encodeGnosticDocument(buildOpenApiV2())
}

/** All documents by what they are asked for; see OpenApiSource in discovery/, which keeps the bytes. */
export const openApiSource = {
  v2Json: buildOpenApiV2,
  v2Protobuf: encodeOpenApiV2Protobuf,
  v3Index: openApiV3Index,
  v3(path: string): Json | undefined {
    const found = /^(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path)
    return found ? buildOpenApiV3(found[1] ?? '', found[2]!) : undefined
  },
}
