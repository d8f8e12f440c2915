// Kubelets of other nodes, reached over their own port: whoever joins with a kubelet of their own is asked as upstream's
// API server asks. Upstream: pkg/kubelet/client and pkg/registry/core/pod/strategy.go.

import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type {
  AttachOptions,
  ExecOptions,
  KubeletAnswer,
  LogOptions,
  NodeAccess,
  PodReference,
} from '../../api/node-access.ts'
import { StatusError } from '../../api/status-error.ts'
import type { ClientPair } from '../streaming/dial-streaming.ts'
import { forwardPort } from '../streaming/forward-port.ts'
import { remoteSession } from '../streaming/remote-session.ts'

export interface RemoteKubeletsParts {
  /** Where a node's kubelet listens: 'https://192.0.2.7:10250'. Throws NotFound for a node that is not there. */
  locate: (nodeName: string) => Promise<string>
  pair: ClientPair
}

/** How long figures may take: metrics-server's kubelet-request-timeout. */
const READ_MS = 10_000

/** A kubelet that cannot be reached, or refuses, is a StatusError with its words. */
export function remoteKubelets({ locate, pair }: RemoteKubeletsParts): NodeAccess {
  const agent = new Agent({
    cert: pair.certificate,
    key: pair.privateKey,
    // Its certificate is its own, see dial-streaming.ts.
    rejectUnauthorized: false,
    keepAlive: true,
  })
  const send = async (nodeName: string, path: string, more: Partial<Asking>) =>
    ask(`${await locate(nodeName)}${path}`, { agent, method: 'GET', ...more })
  return {
    async logs(nodeName, pod, options, signal) {
      const answer = await send(
        nodeName,
        `${containerPath('containerLogs', pod, options)}?${logQuery(options)}`,
        { signal },
      )
      if (answer.statusCode !== 200) throw refusal(answer.statusCode, await wordsOf(answer))
      return untilAborted(answer, signal)
    },
    async get(nodeName, path) {
      const answer = await send(nodeName, path, { timeout: READ_MS })
      const body = await bytesOf(answer)
      if (answer.statusCode !== 200) return undefined
      return { contentType: typeOf(answer), body }
    },
    async ask(nodeName, { method, path, query, signal }): Promise<KubeletAnswer> {
      const search = query.size > 0 ? `?${query}` : ''
      const answer = await send(nodeName, `${path}${search}`, { method, signal })
      return { code: answer.statusCode ?? 502, contentType: typeOf(answer), body: answer }
    },
    async exec(nodeName, pod, options) {
      const query = streamQuery(options)
      for (const word of options.command) query.append('command', word)
      return remoteSession(
        `${await locate(nodeName)}${containerPath('exec', pod, options)}?${query}`,
        options,
        pair,
      )
    },
    async attach(nodeName, pod, options) {
      const path = containerPath('attach', pod, options)
      return remoteSession(`${await locate(nodeName)}${path}?${streamQuery(options)}`, options, pair)
    },
    async portForward(nodeName, { namespace, name }) {
      const url = `${await locate(nodeName)}/portForward/${namespace}/${name}`
      return forwardPort(() => url, pair)
    },
  }
}

const containerPath = (
  what: 'containerLogs' | 'exec' | 'attach',
  { namespace, name }: PodReference,
  { container }: { container: string },
) => `/${what}/${namespace}/${name}/${container}`

/** The kubelet's own names of the streams. */
function streamQuery({ stdin, stdout, stderr, tty }: AttachOptions | ExecOptions): URLSearchParams {
  const wanted = Object.entries({ input: stdin, output: stdout, error: stderr, tty }).filter(([, on]) => on)
  return new URLSearchParams(wanted.map(([name]): [string, string] => [name, '1']))
}

function logQuery({ container: _, ...options }: LogOptions): URLSearchParams {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== false)
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))
}

interface Asking {
  agent: Agent
  method: string
  /** Milliseconds without a word. */
  timeout?: number
  signal?: AbortSignal
}

function ask(url: string, asking: Asking): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...asking })
    sent.once('timeout', () => sent.destroy(new Error('context deadline exceeded')))
    sent.once('response', resolve)
    sent.once('error', error => reject(refusal(500, `Get ${JSON.stringify(url)}: ${error.message}`)))
    sent.end()
  })
}

/** Whoever stops reading has not failed. */
async function* untilAborted(answer: IncomingMessage, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Uint8Array
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const wordsOf = async (answer: IncomingMessage) => (await bytesOf(answer)).toString().trim()

const typeOf = ({ headers }: IncomingMessage) => headers['content-type'] ?? 'application/octet-stream'

const refusal = (code = 500, message = '') =>
  new StatusError(code === 400 ? { code, reason: 'BadRequest', message } : { code, message })
