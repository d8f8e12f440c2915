import { status } from '@grpc/grpc-js'

/** A failed call in the words of gRPC for Go: 'rpc error: code = NotFound desc = …'. Other errors: their message. */
export function rpcErrorText(error: unknown): string {
  const { code, details, message } = error as { code?: unknown; details?: string; message?: string }
  if (typeof code !== 'number') return message ?? String(error)
  return `rpc error: code = ${codeName(code)} desc = ${details ?? message}`
}

/** NotFound for NOT_FOUND; Go spells one of them otherwise. */
function codeName(code: number): string {
  const words = (status[code] ?? 'UNKNOWN').toLowerCase().split('_')
  const name = words.map(word => word[0]!.toUpperCase() + word.slice(1)).join('')
  return name === 'Cancelled' ? 'Canceled' : name
}

/** An error that a service answers with, with its gRPC code; others are answered as UNKNOWN. */
export class GrpcError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
