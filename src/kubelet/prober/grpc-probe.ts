// The gRPC health protocol, v1. Upstream: pkg/probe/grpc; the protocol: grpc/doc/health-checking.md.
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { goDuration } from '../../api/duration.ts'
import type { Clock } from '../../base/clock.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'
import { joinHostPort } from './go-net-error.ts'
import { failed, type ProbeOutcome } from './probe-outcome.ts'

const CHECK = '/grpc.health.v1.Health/Check'
const STATUSES = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 }

const codec = codecFromTable(
  { HealthCheckRequest: 'service=1:string', HealthCheckResponse: 'status=1:enum.ServingStatus' },
  { ServingStatus: STATUSES },
)

interface Answer {
  status?: keyof typeof STATUSES
}

export async function grpcProbe(
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const address = joinHostPort(host, port)
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.36',
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
  })
  const done = new AbortController()
  const within = AbortSignal.any([signal, done.signal])
  let connected = false
  const timeout = clock.sleep(timeoutMs, within).then(() => failed(tooLate(address, timeoutMs, connected)))
  const checked = connect(client).then(() => {
    connected = true
    return check(client, service, timeoutMs)
  })
  for (const one of [timeout, checked]) one.catch(() => {})
  try {
    return await Promise.race([checked, timeout])
  } finally {
    done.abort()
    client.close()
  }
}

function tooLate(address: string, timeoutMs: number, connected: boolean): string {
  const within = goDuration(timeoutMs)
  return connected
    ? `timeout: health rpc did not complete within ${within}`
    : `timeout: failed to connect service "${address}" within ${within}: context deadline exceeded`
}

/** As long as it takes: the caller's timeout ends it by closing the client. */
const connect = (client: Client) =>
  new Promise<void>((resolve, reject) =>
    client.waitForReady(Number.POSITIVE_INFINITY, error => (error ? reject(error) : resolve())),
  )

function check(client: Client, service: string, timeoutMs: number): Promise<ProbeOutcome> {
  const encode = (value: object) => Buffer.from(codec.encode('HealthCheckRequest', value))
  const decode = (bytes: Buffer) => codec.decode('HealthCheckResponse', bytes) as Answer
  return new Promise(resolve =>
    client.makeUnaryRequest(CHECK, encode, decode, { service }, (error, answer) =>
      resolve(error ? failed(errorText(error, timeoutMs)) : outcomeOf(answer)),
    ),
  )
}

function outcomeOf(answer: Answer | undefined): ProbeOutcome {
  const served = answer?.status ?? 'UNKNOWN'
  if (served !== 'SERVING') return failed(`service unhealthy (responded with "${served}")`)
  return { result: 'success', output: 'service healthy' }
}

function errorText({ code, details }: ServiceError, timeoutMs: number): string {
  switch (code) {
    case status.UNIMPLEMENTED:
      return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`
    case status.DEADLINE_EXCEEDED:
      return `timeout: health rpc did not complete within ${goDuration(timeoutMs)}`
    default:
      return `error: health rpc probe failed: rpc error: code = ${codeName(code)} desc = ${details}`
  }
}

/** Go's name of a code: NotFound for NOT_FOUND. */
function codeName(code: number): string {
  const words = (status[code] ?? 'UNKNOWN').toLowerCase().split('_')
  return words.map(word => word[0]!.toUpperCase() + word.slice(1)).join('')
}
