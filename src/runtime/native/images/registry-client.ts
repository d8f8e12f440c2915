// The OCI distribution protocol as a puller needs it: resolve a name, read manifests, stream blobs with resuming.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../../base/clock.ts'
import { bodyBytes, discard, type Exchange, type HttpTransport } from './http-exchange.ts'
import { explain, ImageError } from './image-error.ts'
import { ACCEPTED_MANIFESTS, type Descriptor, isDigest } from './media-types.ts'
import { formatReference, type ImageReference } from './reference.ts'
import { type RegistryAuth, RegistryAuthorizer } from './registry-auth.ts'
import { endpointsOf, type RegistriesConfig, type RegistryEndpoint } from './registry-config.ts'

const MOST_ATTEMPTS_WITHOUT_PROGRESS = 4
const FIRST_PAUSE_MS = 200

interface Server {
  endpoint: RegistryEndpoint
  authorizer: RegistryAuthorizer
  transport: HttpTransport
}

/** One pull's view of a repository: its servers in order, and what has been authorized so far. */
export class RepositoryClient {
  readonly #reference: ImageReference
  readonly #servers: Server[]
  readonly #clock: Clock

  constructor(options: {
    reference: ImageReference
    registries: RegistriesConfig
    transportFor(endpoint: RegistryEndpoint): HttpTransport
    clock: Clock
    auth?: RegistryAuth
  }) {
    this.#reference = options.reference
    this.#clock = options.clock
    this.#servers = endpointsOf(options.reference.domain, options.registries).map(endpoint => {
      const transport = options.transportFor(endpoint)
      // Credentials are the registry's; a mirror is another party.
      const auth = (endpoint.isMirror ? undefined : options.auth) ?? endpoint.auth
      return { endpoint, transport, authorizer: new RegistryAuthorizer(auth, transport, options.clock) }
    })
  }

  /** The digest that the name stands for now. Throws what containerd's resolver says. */
  async resolve(signal: AbortSignal): Promise<string> {
    const { digest, tag } = this.#reference
    let failure: unknown
    for (const server of this.#servers) {
      try {
        const found = await this.#resolveAt(server, digest ?? tag!, signal)
        if (found) return found
      } catch (error) {
        if (signal.aborted) throw signal.reason
        failure ??= error
      }
    }
    const name = formatReference(this.#reference)
    throw explain(
      `failed to resolve reference ${JSON.stringify(name)}`,
      failure === undefined ? new ImageError('NotFound', `${name}: not found`) : asDenied(failure),
    )
  }

  async #resolveAt(server: Server, name: string, signal: AbortSignal): Promise<string | undefined> {
    const headers = { accept: ACCEPTED_MANIFESTS }
    const answer = await this.#request(server, `manifests/${name}`, 'HEAD', headers, signal)
    await discard(answer)
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw unexpectedStatus('HEAD', answer)
    const said = answer.headers['docker-content-digest']
    if (isDigest(said)) return said
    // Registries that do not say the digest send the manifest, and its digest is computed.
    const whole = await this.#request(server, `manifests/${name}`, 'GET', headers, signal)
    if (whole.status !== 200) throw unexpectedStatus('GET', whole)
    return digestOf(await bodyBytes(whole))
  }

  /** The manifest or index with this digest, checked. */
  async manifest(digest: string, signal: AbortSignal): Promise<Buffer> {
    return this.#firstThatHas(`manifests/${digest}`, { accept: ACCEPTED_MANIFESTS }, digest, signal)
  }

  /** A small blob (an image config), checked. */
  async smallBlob(digest: string, signal: AbortSignal): Promise<Buffer> {
    return this.#firstThatHas(`blobs/${digest}`, {}, digest, signal)
  }

  async #firstThatHas(
    path: string,
    headers: Record<string, string>,
    digest: string,
    signal: AbortSignal,
  ): Promise<Buffer> {
    let failure: unknown
    for (const server of this.#servers) {
      try {
        const answer = await this.#request(server, path, 'GET', headers, signal)
        if (answer.status !== 200) {
          await discard(answer)
          throw unexpectedStatus('GET', answer)
        }
        const content = await bodyBytes(answer)
        const found = digestOf(content)
        if (found === digest) return content
        throw new ImageError('Invalid', `unexpected digest ${found}, expected ${digest}`)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        failure = error
      }
    }
    throw explain(`failed to copy`, asDenied(failure))
  }

  /**
   * Streams a blob into `file`, resuming with Range after a broken connection; done when its size and digest are
   * right. `onBytes` is told how many more bytes arrived (negative when a server cannot resume and starts over).
   */
  async download(
    blob: Descriptor,
    file: string,
    onBytes: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let failure: unknown
    for (const server of this.#servers) {
      const transfer: Transfer = { file, blob, received: 0, hash: createHash('sha256'), onBytes }
      try {
        await this.#downloadFrom(server, transfer, signal)
        return
      } catch (error) {
        onBytes(-transfer.received)
        if (signal.aborted) throw signal.reason
        failure = error
      }
    }
    throw explain('failed to copy', asDenied(failure))
  }

  async #downloadFrom(server: Server, transfer: Transfer, signal: AbortSignal): Promise<void> {
    let idleAttempts = 0
    while (transfer.received < transfer.blob.size || transfer.blob.size === 0) {
      const before = transfer.received
      try {
        await this.#downloadRest(server, transfer, signal)
        break
      } catch (error) {
        if (signal.aborted || !isBroken(error)) throw error
        idleAttempts = transfer.received > before ? 0 : idleAttempts + 1
        if (idleAttempts === MOST_ATTEMPTS_WITHOUT_PROGRESS) throw error
        await this.#clock.sleep(FIRST_PAUSE_MS * 2 ** idleAttempts, signal)
      }
    }
    const digest = `sha256:${transfer.hash.digest('hex')}`
    if (digest !== transfer.blob.digest) {
      throw new ImageError(
        'Invalid',
        `failed commit on ref "layer-${transfer.blob.digest}": unexpected commit digest ${digest}, expected ${transfer.blob.digest}: failed precondition`,
      )
    }
  }

  async #downloadRest(server: Server, transfer: Transfer, signal: AbortSignal): Promise<void> {
    const { received, blob } = transfer
    const headers: Record<string, string> = received > 0 ? { range: `bytes=${received}-` } : {}
    const answer = await this.#request(server, `blobs/${blob.digest}`, 'GET', headers, signal)
    if (answer.status !== 200 && !(answer.status === 206 && startsAt(answer, received))) {
      answer.body.destroy()
      throw answer.status >= 500
        ? new BrokenTransfer(unexpectedStatus('GET', answer).message)
        : unexpectedStatus('GET', answer)
    }
    // A server without ranges sends everything again.
    if (answer.status === 200 && received > 0) startOver(transfer)
    await receive(answer, transfer, signal)
    if (transfer.received < blob.size) throw new BrokenTransfer('unexpected EOF')
  }

  async #request(
    server: Server,
    path: string,
    method: 'GET' | 'HEAD',
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Exchange> {
    const mirrored = server.endpoint.isMirror ? `?ns=${encodeURIComponent(this.#reference.domain)}` : ''
    const url = `${server.endpoint.base}/v2/${this.#reference.path}/${path}${mirrored}`
    const scope = `repository:${this.#reference.path}:pull`
    for (let attempt = 0; ; attempt++) {
      const authorization = server.authorizer.header
      const answer = await server.transport.exchange(url, {
        method,
        headers: { ...headers, ...(authorization && { authorization }) },
        signal,
      })
      if (answer.status !== 401 || attempt === 2) return answer
      await discard(answer)
      await server.authorizer.answer(answer.headers['www-authenticate'], scope, authorization, signal)
    }
  }
}

interface Transfer {
  file: string
  blob: Descriptor
  received: number
  hash: ReturnType<typeof createHash>
  onBytes(bytes: number): void
}

/** The connection ended early; asking again may help. */
class BrokenTransfer extends Error {}

const isBroken = (error: unknown) =>
  error instanceof BrokenTransfer || (error instanceof ImageError && error.kind === 'Unavailable')

/** Appends the answer's body to the file and the hash; refuses more bytes than the manifest promised. */
async function receive(answer: Exchange, transfer: Transfer, signal: AbortSignal): Promise<void> {
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (transfer.received + chunk.length > transfer.blob.size) {
        return done(
          new ImageError(
            'Invalid',
            `the registry sent more than the ${transfer.blob.size} bytes of ${transfer.blob.digest}`,
          ),
        )
      }
      transfer.received += chunk.length
      transfer.hash.update(chunk)
      transfer.onBytes(chunk.length)
      done(null, chunk)
    },
  })
  // Bytes are counted on their way to the file, and some may have been lost with the pipeline: the position tells.
  const file = createWriteStream(transfer.file, {
    flags: transfer.received > 0 ? 'r+' : 'w',
    start: transfer.received,
  })
  let broken: unknown
  answer.body.on('error', error => {
    broken = error
  })
  // The body ends without an error as far as the file is concerned, so that all that arrived is written.
  const arrived = async function* () {
    try {
      for await (const chunk of answer.body) yield chunk as Buffer
    } catch (error) {
      if (signal.aborted) throw signal.reason
      broken = error
    }
  }
  await pipeline(arrived, counting, file, { signal })
  if (broken) throw new BrokenTransfer((broken as Error).message)
}

function startOver(transfer: Transfer): void {
  transfer.onBytes(-transfer.received)
  transfer.received = 0
  transfer.hash = createHash('sha256')
}

function startsAt(answer: Exchange, position: number): boolean {
  return /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1] === String(position)
}

function unexpectedStatus(method: string, answer: Exchange): ImageError {
  const status = `${answer.status} ${answer.body.statusMessage ?? ''}`.trim()
  if (answer.status === 401 || answer.status === 403) {
    return new ImageError('Denied', `unexpected status from ${method} request to ${answer.url}: ${status}`)
  }
  const kind = answer.status === 404 ? 'NotFound' : answer.status >= 500 ? 'Unavailable' : 'Invalid'
  return new ImageError(
    kind,
    kind === 'NotFound'
      ? `content at ${answer.url} not found: not found`
      : `unexpected status from ${method} request to ${answer.url}: ${status}`,
  )
}

/** A refused authorization reads the same whether the repository is private or does not exist. */
function asDenied(error: unknown): unknown {
  if (!(error instanceof ImageError) || error.kind !== 'Denied') return error
  if (!/authorization failed/.test(error.message)) return error
  return explain('pull access denied, repository does not exist or may require authorization', error)
}

const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`
