// Asks a webhook over HTTPS: at its URL, or at the endpoints of its Service, whose name its certificate must bear.
// Upstream: apiserver pkg/util/webhook/client.go.
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { WebhookClientConfig } from '../../../api/types/admissionregistration-v1.ts'
import type { Clock } from '../../../base/clock.ts'
import { serviceAddress } from '../../service-address.ts'
import type { ObjectLookup } from '../object-lookup.ts'
import { WebhookFailure } from './review.ts'

const MOST_BYTES = 7 * 1024 * 1024

export interface WebhookClientParts {
  lookup: ObjectLookup
  clock: Clock
}

interface Target {
  /** As messages name it. */
  url: URL
  /** Where to connect instead of the URL's host. */
  address?: { host: string; port: number }
}

/** Posts JSON, answers parsed JSON. Throws WebhookFailure. */
export async function askWebhook(
  config: WebhookClientConfig,
  body: object,
  timeoutMs: number,
  parts: WebhookClientParts,
): Promise<unknown> {
  const target = await targetOf(config, parts.lookup)
  const url = new URL(target.url)
  url.searchParams.set('timeout', `${Math.round(timeoutMs / 1000)}s`)
  const late = new AbortController()
  const inTime = new AbortController()
  const overdue = parts.clock.sleep(timeoutMs, inTime.signal).then(
    () => late.abort(),
    () => {},
  )
  try {
    return await post({ ...target, url }, config.caBundle, JSON.stringify(body), late.signal)
  } catch (error) {
    const why = late.signal.aborted ? 'context deadline exceeded' : messageOf(error)
    throw new WebhookFailure(`failed to call webhook: Post "${url}": ${why}`)
  } finally {
    inTime.abort()
    await overdue
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function post(
  { url, address }: Target,
  caBundle: string | undefined,
  body: string,
  signal: AbortSignal,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const outgoing = httpsRequest(
    {
      method: 'POST',
      host: address?.host ?? url.hostname,
      port: address?.port ?? (url.port || 443),
      path: `${url.pathname}${url.search}`,
      // Names only: RFC 6066 knows no addresses there.
      ...(isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 && { servername: url.hostname }),
      headers: {
        host: url.host,
        accept: 'application/json, */*',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
      ...(caBundle && { ca: Buffer.from(caBundle, 'base64') }),
      agent: false,
      signal,
    },
    async response => {
      try {
        const chunks: Buffer[] = []
        let size = 0
        for await (const chunk of response as AsyncIterable<Buffer>) {
          size += chunk.length
          if (size > MOST_BYTES) throw new Error('the answer is too long')
          chunks.push(chunk)
        }
        const text = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode !== 200)
          throw new Error(`the server answered ${response.statusCode}: ${text.slice(0, 200)}`)
        resolve(JSON.parse(text))
      } catch (error) {
        reject(error)
      }
    },
  )
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

async function targetOf({ url, service }: WebhookClientConfig, lookup: ObjectLookup): Promise<Target> {
  if (!service) {
    if (!url || !URL.canParse(url))
      throw new WebhookFailure(`invalid webhook URL ${JSON.stringify(url ?? '')}`)
    return { url: new URL(url) }
  }
  const { namespace, name, port = 443, path = '' } = service
  const named = new URL(
    `https://${name}.${namespace}.svc:${port}${path.startsWith('/') || !path ? path : `/${path}`}`,
  )
  const address = await serviceAddress({ namespace, name, port }, lookup)
  if (!('problem' in address)) return { url: named, address }
  const why =
    address.problem === 'missing'
      ? `service "${name}" not found`
      : `no endpoints available for service "${name}"`
  throw new WebhookFailure(`failed to call webhook: Post "${named}": ${why}`)
}
