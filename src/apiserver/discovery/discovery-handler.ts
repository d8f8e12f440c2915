// Serves the documents that describe the API: /api, /apis and below, /version, /openapi. Answers bytes.
import type { IncomingMessage } from 'node:http'
import { encodeObject, type ProtobufCodec } from '../http/encode.ts'
import { JSON_TYPE, negotiate, parseAccept } from '../http/negotiate.ts'
import { type Answer, wantsPretty } from '../http/respond.ts'
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  entityTag,
} from './discovery-documents.ts'
import { type OpenIdSource, openIdDocument } from './open-id.ts'
import type { ResourceIndex } from './resource-index.ts'

/** The version package's Info. */
export interface VersionInfo {
  major: string
  minor: string
  gitVersion: string
  gitCommit: string
  gitTreeState: string
  buildDate: string
  goVersion: string
  compiler: string
  platform: string
  [field: string]: string
}

/** OpenAPI documents are made elsewhere and only when asked for. */
export interface OpenApiSource {
  v2Json(): object
  v2Protobuf(): Uint8Array
  /** The document of /openapi/v3: paths to URLs with hashes. */
  v3Index(): object
  /** 'api/v1' or 'apis/apps/v1'; undefined when there is none. */
  v3(path: string): object | undefined
}

export interface DiscoveryOptions {
  resources: ResourceIndex
  version: VersionInfo
  openApi: OpenApiSource
  codec: ProtobufCodec
  /** Absent: nobody outside can verify tokens. */
  openId?: OpenIdSource
  /** 'HOST:PORT' as clients reach the server. */
  serverAddress: () => string
}

export class DiscoveryHandler {
  readonly #options: DiscoveryOptions
  /** Finished documents by URL and type, good for one revision of the resources. */
  readonly #documents = new Map<string, Answer>()
  #revision = -1

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  /** undefined when the path is none of ours. Throws NotAcceptable. */
  answer(request: IncomingMessage, path: string, query: URLSearchParams): Answer | undefined {
    if (this.#revision !== this.#options.resources.revision) {
      this.#documents.clear()
      this.#revision = this.#options.resources.revision
    }
    const clean = path.length > 1 ? path.replace(/\/$/, '') : path
    const { openId, serverAddress } = this.#options
    const found = clean.startsWith('/openapi/')
      ? this.#openApi(request, clean, query)
      : ((openId && openIdDocument(openId, clean, serverAddress())) ?? this.#discovery(request, clean))
    if (!found?.headers?.ETag || request.headers['if-none-match'] !== found.headers.ETag) return found
    return { ...found, code: 304, body: Buffer.alloc(0) }
  }

  #discovery(request: IncomingMessage, path: string): Answer | undefined {
    const aggregated =
      path === '/api' || path === '/apis' ? aggregatedVersion(request.headers.accept) : undefined
    if (aggregated) return this.#aggregated(path === '/api', aggregated)
    const document = this.#plain(path)
    if (!document) return undefined
    const { apiVersion = 'v1', kind = '' } = document as { apiVersion?: string; kind?: string }
    const hasProtobuf = this.#options.codec.canEncode(apiVersion, kind)
    const { mediaType } = negotiate(request.headers.accept, 'status', { protobuf: hasProtobuf })
    const body = encodeObject(document, mediaType, this.#options.codec, wantsPretty(request))
    return { code: 200, contentType: mediaType, body, headers: { Vary: 'Accept' } }
  }

  #plain(path: string): object | undefined {
    const { resources, version, serverAddress } = this.#options
    if (path === '/version') return version
    if (path === '/') return { paths: this.#paths() }
    if (path === '/api') return apiVersions(serverAddress())
    if (path === '/apis') return apiGroupList(resources.all)
    const [, prefix, first = '', second, ...more] = path.split('/')
    if (more.length > 0) return undefined
    if (prefix === 'api' && second === undefined) return apiResourceList(resources.all, '', first)
    if (prefix !== 'apis') return undefined
    return second === undefined
      ? apiGroup(resources.all, first)
      : apiResourceList(resources.all, first, second)
  }

  #paths(): string[] {
    const groups = this.#options.resources.all.flatMap(({ group, version }) =>
      group ? [`/apis/${group}`, `/apis/${group}/${version}`] : [`/api/${version}`],
    )
    const others = [
      '/.well-known/openid-configuration',
      '/api',
      '/apis',
      '/healthz',
      '/livez',
      '/metrics',
      '/openapi/v2',
      '/openapi/v3',
      '/openid/v1/jwks',
      '/readyz',
    ]
    return [...new Set([...groups, ...others, '/version'])].sort()
  }

  #aggregated(core: boolean, version: 'v2' | 'v2beta1'): Answer {
    return this.#kept(`aggregated ${core} ${version}`, () => ({
      code: 200,
      contentType: `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      body: Buffer.from(
        `${JSON.stringify(aggregatedDiscovery(this.#options.resources.all, core, version))}\n`,
      ),
      headers: { Vary: 'Accept' },
    }))
  }

  #openApi(request: IncomingMessage, path: string, query: URLSearchParams): Answer | undefined {
    const { openApi } = this.#options
    if (path === '/openapi/v2') return this.#openApiV2(request)
    if (path === '/openapi/v3') return this.#kept(path, () => jsonAnswer(openApi.v3Index()))
    const prefix = '/openapi/v3/'
    if (!path.startsWith(prefix)) return undefined
    const name = path.slice(prefix.length)
    if (!this.#documents.has(path) && !openApi.v3(name)) return undefined
    const found = this.#kept(path, () => jsonAnswer(openApi.v3(name) ?? {}))
    if (!query.get('hash')) return found
    // The URL names the content: clients may keep it for good.
    return {
      ...found,
      headers: { ...found.headers, 'Cache-Control': 'public, immutable', Expires: FAR_FUTURE },
    }
  }

  #openApiV2(request: IncomingMessage): Answer {
    const asked = parseAccept(request.headers.accept ?? '').map(({ type }) => type)
    const wantsProtobuf = asked.find(
      type => OPENAPI_V2_PROTOBUF.includes(type) || type.includes('json') || type === '*/*',
    )
    if (!wantsProtobuf || !OPENAPI_V2_PROTOBUF.includes(wantsProtobuf)) {
      return this.#kept('v2 json', () => jsonAnswer(this.#options.openApi.v2Json()))
    }
    return this.#kept('v2 protobuf', () => ({
      code: 200,
      contentType: OPENAPI_V2_PROTOBUF[0] as string,
      body: this.#options.openApi.v2Protobuf(),
    }))
  }

  #kept(key: string, make: () => Answer): Answer {
    const known = this.#documents.get(key)
    if (known) return known
    const made = make()
    const answer = { ...made, headers: { ...made.headers, ETag: entityTag(made.body) } }
    this.#documents.set(key, answer)
    return answer
  }
}

const FAR_FUTURE = 'Thu, 31 Dec 2099 23:59:59 GMT'

/** The second is the older name of the same format. */
const OPENAPI_V2_PROTOBUF: readonly string[] = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
]

function jsonAnswer(document: object): Answer {
  return { code: 200, contentType: JSON_TYPE, body: Buffer.from(JSON.stringify(document)) }
}

/** The first clause that names a form of discovery decides; plain JSON means the unaggregated form. */
function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of parseAccept(accept ?? '')) {
    if (type !== JSON_TYPE) continue
    const { g, v, as } = parameters
    if (as === undefined) return undefined
    if (g !== 'apidiscovery.k8s.io' || as !== 'APIGroupDiscoveryList') continue
    if (v === 'v2' || v === 'v2beta1') return v
  }
  return undefined
}
