// Plain requests to a cluster's API server as its administrator: what a client library sends, without the library.
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { TestCluster } from './test-cluster.ts'

export const MERGE_PATCH = 'application/merge-patch+json'
export const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json'

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[]
}

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: T
}

export interface Watch<T> {
  events: WatchEvent<T>[]
  stop(): void
}

export interface Answer<T> {
  code: number
  body: T
}

/** Every verb answers the body, and fails with the server's words when the server refuses. */
export class ApiRequests {
  readonly #server: string
  readonly #agent: Agent

  private constructor({ clusters, users }: Kubeconfig) {
    const decoded = (data: string) => Buffer.from(data, 'base64')
    const { cluster } = clusters[0]!
    const { user } = users[0]!
    this.#server = cluster.server
    this.#agent = new Agent({
      ca: decoded(cluster['certificate-authority-data']),
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
      keepAlive: true,
    })
  }

  static async of(cluster: TestCluster): Promise<ApiRequests> {
    return new ApiRequests(await cluster.json<Kubeconfig>('config view --raw'))
  }

  close(): void {
    this.#agent.destroy()
  }

  get<T>(path: string): Promise<T> {
    return this.#must<T>('GET', path)
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.#must<T>('POST', path, body)
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.#must<T>('PUT', path, body)
  }

  patch<T>(path: string, body: object, type: string = STRATEGIC_MERGE_PATCH): Promise<T> {
    return this.#must<T>('PATCH', path, body, type)
  }

  delete<T>(path: string, options?: object): Promise<T> {
    return this.#must<T>('DELETE', path, options)
  }

  /** The answer whatever it is; '' when it has no body. */
  async send<T>(method: string, path: string, body?: object, type = 'application/json'): Promise<Answer<T>> {
    const response = await this.#open(method, path, body, type)
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    return { code: response.statusCode ?? 0, body: (text && JSON.parse(text)) as T }
  }

  /** `path` with its query, without `watch=true`. */
  async watch<T>(path: string): Promise<Watch<T>> {
    const response = await this.#open('GET', `${path}${path.includes('?') ? '&' : '?'}watch=true`)
    if (response.statusCode !== 200) throw new Error(`watch of ${path} was answered ${response.statusCode}`)
    const events: WatchEvent<T>[] = []
    let rest = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      events.push(...lines.map(line => JSON.parse(line) as WatchEvent<T>))
    })
    response.on('error', () => {})
    return { events, stop: () => response.destroy() }
  }

  async #must<T>(method: string, path: string, body?: object, type?: string): Promise<T> {
    const answer = await this.send<T & { message?: string }>(method, path, body, type)
    if (answer.code >= 300) throw new Error(`${method} ${path}: ${answer.code} ${answer.body.message}`)
    return answer.body
  }

  #open(method: string, path: string, body?: object, type = 'application/json') {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const text = body && JSON.stringify(body)
      // Node frames the body of a DELETE only when its length is told.
      const framing = text && { 'content-type': type, 'content-length': Buffer.byteLength(text) }
      const headers = { accept: 'application/json', ...framing }
      const sent = request(`${this.#server}${path}`, { method, agent: this.#agent, headers }, resolve)
      sent.once('error', reject)
      sent.end(text)
    })
  }
}
