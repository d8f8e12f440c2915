// A request's body: read up to a limit, then parsed by its content type. Never buffers more than the limit.
import type { IncomingMessage } from 'node:http'
import { parse as parseYaml } from 'yaml'
import type { PatchType } from '../../api/request.ts'
import { badRequest, StatusError } from '../../api/status-error.ts'
import type { ProtobufCodec } from './encode.ts'
import { ACCEPTED, JSON_TYPE, PROTOBUF_TYPE, unsupportedMediaType, YAML_TYPE } from './negotiate.ts'

/** Upstream's MaxRequestBodyBytes. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024

/** Throws RequestEntityTooLarge without reading on. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  // Stopping early must leave the socket open for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
}

function tooLarge(): StatusError {
  return new StatusError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${MAX_BODY_BYTES}`,
  })
}

/** `kind` is only for the error's text. An empty body answers undefined. */
export function parseObject(
  body: Buffer,
  contentType: string | undefined,
  kind: string,
  codec: ProtobufCodec,
): unknown {
  const type = mediaType(contentType) || JSON_TYPE
  if (!ACCEPTED.includes(type)) throw unsupportedMediaType(ACCEPTED)
  if (body.length === 0) return undefined
  try {
    const value = type === PROTOBUF_TYPE ? codec.decode(body) : parseText(body, type)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw unrecognized(kind, `${type === PROTOBUF_TYPE ? '' : 'json parse error: '}${messageOf(error)}`)
  }
  throw unrecognized(kind, 'json parse error: the document is not an object')
}

function unrecognized(kind: string, why: string): StatusError {
  return badRequest(
    `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; ${why}`,
  )
}

const PATCH_TYPES: readonly PatchType[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]

export function parsePatch(
  body: Buffer,
  contentType: string | undefined,
): { type: PatchType; document: unknown } {
  const type = PATCH_TYPES.find(candidate => candidate === mediaType(contentType))
  if (!type) throw unsupportedMediaType(PATCH_TYPES)
  const isApply = type === 'application/apply-patch+yaml'
  try {
    return { type, document: parseText(body, isApply ? YAML_TYPE : JSON_TYPE) }
  } catch (error) {
    throw badRequest(`${isApply ? 'error decoding YAML' : 'error decoding patch'}: ${messageOf(error)}`)
  }
}

function parseText(body: Buffer, type: string): unknown {
  const text = body.toString('utf8')
  if (type === JSON_TYPE) return JSON.parse(text)
  // JSON is YAML, and clients often send it as such: the quick parser first.
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text)
    } catch {
      // Flow-style YAML, or broken: the YAML parser will tell.
    }
  }
  return parseYaml(text, { version: '1.1', maxAliasCount: 100, merge: true })
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
