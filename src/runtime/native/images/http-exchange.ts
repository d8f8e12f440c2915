// One HTTP request to a registry, redirects followed, body as a stream. Failures are worded as Go's client words
// them, because the kubelet shows them to people who search for these words.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import tls from 'node:tls'
import { ImageError } from './image-error.ts'

export interface EndpointTrust {
  skipVerify: boolean
  caFile?: string
  certFile?: string
  keyFile?: string
}

export interface Exchange {
  status: number
  headers: http.IncomingHttpHeaders
  body: http.IncomingMessage
  /** Where the answer came from, after redirects. */
  url: string
}

export interface ExchangeOptions {
  method?: 'GET' | 'HEAD' | 'POST'
  headers?: Record<string, string>
  body?: string
  signal?: AbortSignal
}

const MOST_REDIRECTS = 5
/** A server that says nothing for so long is taken for broken; the download then resumes. */
const SILENCE_MS = 30_000
const LARGEST_TEXT_BYTES = 8 << 20

/** Connections and trust for one endpoint, kept open between requests. */
export class HttpTransport {
  readonly #plain = new http.Agent({ keepAlive: true, proxyEnv: process.env })
  readonly #secure: https.Agent

  constructor({ caFile, certFile, keyFile, skipVerify }: EndpointTrust) {
    this.#secure = new https.Agent({
      keepAlive: true,
      proxyEnv: process.env,
      rejectUnauthorized: !skipVerify,
      ...(caFile && { ca: [...tls.getCACertificates('default'), readFileSync(caFile, 'utf8')] }),
      ...(certFile && { cert: readFileSync(certFile, 'utf8') }),
      ...(keyFile && { key: readFileSync(keyFile, 'utf8') }),
    })
  }

  close(): void {
    this.#plain.destroy()
    this.#secure.destroy()
  }

  /** Resolves to whatever the server answered, also 404. Credentials never follow a redirect to another host. */
  async exchange(url: string, options: ExchangeOptions = {}): Promise<Exchange> {
    let at = new URL(url)
    let headers = options.headers ?? {}
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#once(at, { ...options, headers })
      const location = answer.headers.location
      if (![301, 302, 303, 307, 308].includes(answer.status) || !location) return answer
      answer.body.resume()
      if (redirects === MOST_REDIRECTS)
        throw new ImageError(
          'Unavailable',
          `${goVerb(options)} ${JSON.stringify(at.href)}: stopped after ${MOST_REDIRECTS} redirects`,
        )
      const next = new URL(location, at)
      if (next.host !== at.host) headers = withoutCredentials(headers)
      if (at.protocol === 'https:' && next.protocol !== 'https:') headers = withoutCredentials(headers)
      at = next
    }
  }

  #once(url: URL, options: ExchangeOptions): Promise<Exchange> {
    const secure = url.protocol === 'https:'
    if (!secure && url.protocol !== 'http:') {
      return Promise.reject(
        new ImageError('Unavailable', `unsupported protocol scheme ${JSON.stringify(url.protocol)}`),
      )
    }
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(url, {
        method: options.method ?? 'GET',
        headers: { 'user-agent': 'kubernode', ...options.headers },
        agent: secure ? this.#secure : this.#plain,
        ...(options.signal && { signal: options.signal }),
        timeout: SILENCE_MS,
      })
      request.on('timeout', () =>
        request.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' })),
      )
      request.on('error', error =>
        reject(options.signal?.aborted ? options.signal.reason : goError(error, url, options)),
      )
      request.on('response', body =>
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body, url: url.href }),
      )
      request.end(options.body)
    })
  }
}

/** The whole body as text; refuses what is too large to be a manifest or a token. */
export async function bodyText(exchange: Exchange): Promise<string> {
  return (await bodyBytes(exchange)).toString('utf8')
}

export async function bodyBytes({ body }: Exchange): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += (part as Buffer).length
    if (size > LARGEST_TEXT_BYTES)
      throw new ImageError('Invalid', 'the registry sent a document that is too large')
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

/** Reads and drops the body, so that the connection can be used again. */
export async function discard({ body }: Exchange): Promise<void> {
  await text(body).catch(() => {})
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  const { authorization: _, ...others } = headers
  return others
}

const goVerb = ({ method = 'GET' }: ExchangeOptions) => method[0] + method.slice(1).toLowerCase()

function goError(
  error: NodeJS.ErrnoException & { address?: string; port?: number },
  url: URL,
  options: ExchangeOptions,
) {
  const where = `${goVerb(options)} ${JSON.stringify(url.href)}`
  return new ImageError('Unavailable', `failed to do request: ${where}: ${goReason(error, url)}`, {
    cause: error,
  })
}

function goReason(error: NodeJS.ErrnoException & { address?: string; port?: number }, url: URL): string {
  const address = error.address ? `${error.address}:${error.port}` : url.host
  switch (error.code) {
    case 'ENOTFOUND':
      return `dial tcp: lookup ${url.hostname}: no such host`
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution`
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`
    case 'ETIMEDOUT':
      return `dial tcp ${address}: i/o timeout`
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'
    case 'ECONNRESET':
      return 'EOF'
    default:
      return error.message
  }
}
