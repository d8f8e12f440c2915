// The one seam between clients and the API server: a request and its answer as plain objects.
// In-process the server's own handler is called with these; over HTTPS a codec sits at each end.
import type { KubeObject, WatchEvent } from './kube-object.ts'

export interface UserInfo {
  name: string
  uid?: string
  groups: string[]
  extra?: Record<string, string[]>
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** metav1's ListOptions, GetOptions, CreateOptions, UpdateOptions and PatchOptions together, as query parameters name them. */
export interface RequestOptions {
  labelSelector?: string
  fieldSelector?: string
  limit?: number
  continue?: string
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  /** Ends a watch after this many seconds. */
  timeoutSeconds?: number
  allowWatchBookmarks?: boolean
  sendInitialEvents?: boolean
  dryRun?: string[]
  fieldManager?: string
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
  /** Server-side apply: take over fields that others own. */
  force?: boolean
}

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml'

/** metav1.DeleteOptions without its kind and apiVersion. */
export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  orphanDependents?: boolean
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: string[]
}

export interface ApiRequest {
  user: UserInfo
  verb: Verb
  group: string
  version: string
  /** Plural: 'pods'. */
  resource: string
  subresource?: string
  namespace?: string
  name?: string
  options?: RequestOptions
  /** create, update: the object. The server may keep and freeze it: do not touch it afterwards. */
  body?: unknown
  /** Fields that occur twice in the body's text, found where it was parsed: for decodeObject's `problems`. */
  bodyProblems?: readonly string[]
  /** With fields that occur twice: the paths of all fields, in the order of the text. */
  bodyKeys?: readonly string[]
  /** patch: the parsed patch document (for apply: the parsed YAML). */
  patch?: { type: PatchType; document: unknown }
  /** delete, deletecollection. */
  deleteOptions?: DeleteOptions
  /** Query parameters of subresources with options of their own (log: container, follow, tailLines …), as strings. */
  query?: Record<string, string | string[]>
  /** What follows a proxy subresource in the URL: 'stats/summary'. */
  subpath?: string
  /** 'kubectl/v1.36 …': default field manager, audit. */
  userAgent?: string
  /** Aborted when the caller goes away: ends watches and streams. */
  signal?: AbortSignal
}

export type ApiResponse =
  | { kind: 'object'; code: number; object: KubeObject; warnings?: string[] }
  | { kind: 'watch'; events: AsyncIterable<WatchEvent<KubeObject>>; warnings?: string[] }
  /** Bytes, for pods/log. `body` ends by itself or when the request's signal aborts. */
  | { kind: 'stream'; contentType: string; body: AsyncIterable<Uint8Array> }

/** Answers a request, or throws StatusError (./status-error.ts). The API server's handler has this type; so do transports. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse>
