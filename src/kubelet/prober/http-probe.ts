// Status 200 to 399 is a success; a redirect to another host ends there, as a warning. Upstream: pkg/probe/http.
import type { Container, HTTPGetAction } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { handlerPort } from './handler-port.ts'
import { HttpFollower } from './http-follower.ts'
import { type HttpAnswer, httpTarget } from './http-request.ts'
import { failed, type ProbeOutcome } from './probe-outcome.ts'

const USER_AGENT = 'kube-probe/1.36'
const TIMED_OUT = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'

/** Throws when the port cannot be told. */
export async function httpProbe(
  action: HTTPGetAction,
  container: Container,
  podIP: string,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const port = handlerPort(action.port, container)
  const target = httpTarget(action.scheme ?? 'HTTP', action.host || podIP, port, action.path || '/')
  const done = new AbortController()
  const within = AbortSignal.any([signal, done.signal])
  const follower = new HttpFollower(target, action.httpHeaders ?? [], USER_AGENT)
  const timeout = clock.sleep(timeoutMs, within).then(() => failed(`Get "${follower.shown}": ${TIMED_OUT}`))
  const answered = follower.get(within).then(outcomeOf, (error: Error) => {
    within.throwIfAborted()
    return failed(error.message)
  })
  for (const one of [timeout, answered]) one.catch(() => {})
  try {
    return await Promise.race([answered, timeout])
  } finally {
    done.abort()
  }
}

function outcomeOf({ status, body }: HttpAnswer): ProbeOutcome {
  if (status < 200 || status >= 400) return failed(`HTTP probe failed with statuscode: ${status}`)
  if (status < 300) return { result: 'success', output: body }
  return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` }
}
