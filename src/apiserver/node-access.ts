// How the API server reaches a node for what only the node has (logs now; exec, attach and port-forward later).
// The kubelet floor stands above; main.ts plugs its part in here.

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

export interface NodeAccess {
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
}
