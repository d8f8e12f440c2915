// Node's network errors in the words of Go's net package, which is what events show and people search for.

const DIAL_WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  EADDRNOTAVAIL: 'cannot assign requested address',
  ECONNRESET: 'connection reset by peer',
}

interface NodeNetError {
  code?: string
  syscall?: string
  hostname?: string
  message: string
}

/** 'dial tcp 10.0.0.5:80: connect: connection refused'. `address` is host:port as it was dialled. */
export function goNetError(error: unknown, address: string): string {
  const { code = '', syscall, hostname, message } = error as NodeNetError
  const words = DIAL_WORDS[code]
  if (words && (syscall === 'connect' || syscall === undefined))
    return `dial tcp ${address}: connect: ${words}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`
  if (code === 'ECONNRESET') return syscall ? `read tcp ${address}: read: connection reset by peer` : 'EOF'
  if (code === 'EPIPE') return `write tcp ${address}: write: broken pipe`
  if (
    code === 'EPROTO' ||
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
  )
    return 'http: server gave HTTP response to HTTPS client'
  if (code.startsWith('HPE_')) return `net/http: HTTP/1.x transport connection broken: ${message}`
  return message
}

/** net.JoinHostPort. */
export const joinHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
