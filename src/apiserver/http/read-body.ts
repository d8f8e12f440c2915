// A request's body: read up to a limit, then parsed by its content type. Never buffers more than the limit.
import type { IncomingMessage } from 'node:http'
import type { PatchType } from '../../api/request.ts'
import { type ParsedBody, parseJson, parseYaml } from '../../api/schema/parse-body.ts'
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

/**
 * `kind` is only for the error's text. An empty body answers undefined. With `strict`, fields that occur twice
 * are among the problems.
 */
export function parseObject(
  body: Buffer,
  contentType: string | undefined,
  kind: string,
  codec: ProtobufCodec,
  strict = false,
): ParsedBody | undefined {
  const type = mediaType(contentType) || JSON_TYPE
  if (!ACCEPTED.includes(type)) throw unsupportedMediaType(ACCEPTED)
  if (body.length === 0) return undefined
  const parsed = wrapErrors(kind, () =>
    type === PROTOBUF_TYPE ? { value: codec.decode(body), problems: [] } : parseText(body, type, strict),
  )
  if (typeof parsed.value === 'object' && parsed.value !== null && !Array.isArray(parsed.value)) return parsed
  throw unrecognized(kind, "couldn't get version/kind; json parse error: the document is not an object")
}

function wrapErrors(kind: string, parse: () => ParsedBody): ParsedBody {
  try {
    return parse()
  } catch (error) {
    throw unrecognized(kind, messageOf(error))
  }
}

/** Upstream: transformDecodeError. */
function unrecognized(kind: string, why: string): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`)
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
  strict: boolean,
): { type: PatchType; document: unknown; problems: readonly string[] } {
  const type = PATCH_TYPES.find(candidate => candidate === mediaType(contentType))
  if (!type) throw unsupportedMediaType(PATCH_TYPES)
  const isApply = type === 'application/apply-patch+yaml'
  try {
    const { value, problems } = parseText(body, isApply ? YAML_TYPE : JSON_TYPE, strict)
    return { type, document: value, problems }
  } catch (error) {
    throw badRequest(`${isApply ? 'error decoding YAML' : 'error decoding patch'}: ${messageOf(error)}`)
  }
}

function parseText(body: Buffer, type: string, strict: boolean): ParsedBody {
  const text = body.toString('utf8')
  return type === JSON_TYPE ? parseJson(text, strict) : parseYaml(text, strict)
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
