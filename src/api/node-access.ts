// How the API server reaches a node for what only the node has (logs, exec, attach, port-forward).
// The API server asks by it, the kubelet fulfils it, and cluster/ puts the two together.
import type { Duplex, Readable, Writable } from 'node:stream'
import type { Status } from './status-error.ts'

/** v1.PodLogOptions, parsed. */
export interface LogOptions {
  container: string
  follow: boolean
  previous: boolean
  timestamps: boolean
  sinceSeconds?: number
  /** RFC 3339. */
  sinceTime?: string
  tailLines?: number
  limitBytes?: number
  /** Only this stream; both when left out. */
  stream?: 'Stdout' | 'Stderr'
}

export interface PodReference {
  namespace: string
  name: string
  uid: string
}

export interface TerminalSize {
  width: number
  height: number
}

export interface AttachOptions {
  container: string
  stdin: boolean
  stdout: boolean
  /** Never together with tty. */
  stderr: boolean
  tty: boolean
}

export interface ExecOptions extends AttachOptions {
  command: readonly string[]
}

/** The caller's ends, as many as were asked for. Outputs are ended when nothing more comes. */
export interface RemoteStreams {
  stdin?: Readable
  stdout?: Writable
  stderr?: Writable
  resizes?: AsyncIterable<TerminalSize>
}

/** metav1.Status of a command's end; a code other than 0 is a failure with reason NonZeroExitCode. */
export type RemoteStatus = { metadata: object; status: 'Success' } | (Partial<Status> & { status: 'Failure' })

/** What is ready to run: resolves when it has ended and everything it said is written. Aborting hangs up. */
export type RemoteSession = (streams: RemoteStreams, signal: AbortSignal) => Promise<RemoteStatus>

/** Connects one stream with a port of the pod, until the pod has said all; throws the words for the error stream. */
export type PortForwarder = (port: number, stream: Duplex, signal: AbortSignal) => Promise<void>

/** A request to a kubelet's own port. */
export interface KubeletRequest {
  method: string
  /** As the client encoded it: /containerLogs/default/web/nginx. */
  path: string
  query: URLSearchParams
  signal: AbortSignal
}

export interface KubeletAnswer {
  code: number
  contentType: string
  body: Uint8Array | AsyncIterable<Uint8Array>
}

export interface ReadAccess {
  /**
   * The log's bytes as `kubectl logs` shows them. Throws StatusError (400) with the kubelet's texts, such as
   * `container "c" in pod "p" is waiting to start: PodInitializing`. Ends when the signal aborts.
   */
  logs(
    nodeName: string,
    pod: PodReference,
    options: LogOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>
  /** What the node's kubelet answers to a GET of this path; undefined when it knows none such. */
  get(nodeName: string, path: string): Promise<{ contentType: string; body: Uint8Array } | undefined>
}

export interface NodeAccess extends ReadAccess {
  /** Throws StatusError with the kubelet's text and HTTP code, such as 500 `container not found ("c")`. */
  exec(nodeName: string, pod: PodReference, options: ExecOptions): Promise<RemoteSession>

  /** As exec. */
  attach(nodeName: string, pod: PodReference, options: AttachOptions): Promise<RemoteSession>

  /** Throws StatusError when the pod cannot be reached at all. */
  portForward(nodeName: string, pod: PodReference): Promise<PortForwarder>

  /** What the kubelet answers on its own port; failures of its own are answers too. */
  ask(nodeName: string, request: KubeletRequest): Promise<KubeletAnswer>
}
