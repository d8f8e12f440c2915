// What the API server asks of a node; the same shape as src/apiserver/node-access.ts, where main.ts plugs it in.

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
  /** The log's bytes. Throws StatusError (400) with the kubelet's texts. Ends when the signal aborts. */
  logs(
    nodeName: string,
    pod: PodReference,
    options: LogOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>
}
