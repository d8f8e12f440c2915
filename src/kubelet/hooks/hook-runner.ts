// postStart and preStop handlers. Upstream: pkg/kubelet/lifecycle/handlers.go.

import type {
  Container,
  HTTPGetAction,
  LifecycleHandler,
  Pod,
  TCPSocketAction,
} from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { PodEvents } from '../pod-events.ts'
import { describePod } from '../pod-name.ts'
import { joinHostPort } from '../prober/go-net-error.ts'
import { handlerPort } from '../prober/handler-port.ts'
import { HttpFollower } from '../prober/http-follower.ts'
import { type HttpTarget, httpTarget } from '../prober/http-request.ts'
import { tcpProbe } from '../prober/tcp-probe.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'

const USER_AGENT = 'kube-lifecycle/1.36'

/**
 * A process that was just started is rarely listening yet, and a hook is run once only: in this time a refused
 * connection is tried again. Upstream takes longer to start a container and seldom meets it; tcpSocket hooks it accepts
 * and never runs.
 */
const CONNECT_WITHIN_MS = 1_000
const CONNECT_AGAIN_MS = 50
const CONNECT_TIMEOUT_MS = 1_000

/** The hook failed; the message is what the pod shows. */
export class HookError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'HookError'
  }
}

export interface HookTarget {
  pod: Pod
  container: Container
  containerId: string
  podIP: string | undefined
  /** Its first process may not listen yet. */
  justStarted?: boolean
}

export interface HookParts {
  runtime: RuntimeService
  clock: Clock
  events: PodEvents
}

export class HookRunner {
  readonly #parts: HookParts

  constructor(parts: HookParts) {
    this.#parts = parts
  }

  /** Resolves when the handler has succeeded; throws HookError. `timeoutSeconds` 0 is no limit. */
  async run(
    handler: LifecycleHandler,
    target: HookTarget,
    timeoutSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { exec, httpGet, sleep, tcpSocket } = handler
    const of = (kind: string, what: unknown, work: Promise<void>) =>
      work.catch((error: Error) => {
        throw new HookError(`${kind} lifecycle hook (${what}) ${failedIn(target)} - error: ${error.message}`)
      })
    if (exec) return this.#exec(exec.command ?? [], target, timeoutSeconds, signal)
    if (httpGet) return of('HTTP', httpGet.path ?? '', this.#http(httpGet, target, signal))
    if (sleep) return of('Sleep', sleep.seconds, this.#sleep(sleep.seconds, timeoutSeconds, signal))
    if (tcpSocket) return of('TCP', tcpSocket.port, this.#tcp(tcpSocket, target, signal))
    throw new HookError('Cannot run handler: invalid handler: {}')
  }

  async #exec(command: string[], target: HookTarget, timeout: number, signal: AbortSignal): Promise<void> {
    const fail = (error: string, output: string) =>
      new HookError(
        `Exec lifecycle hook ([${command.join(' ')}]) ${failedIn(target)} - error: ${error}, message: ${JSON.stringify(output)}`,
      )
    const request = { containerId: target.containerId, cmd: command, timeout }
    const answer = await this.#parts.runtime.execSync(request, signal).catch(error => {
      throw fail(runtimeErrorText(error), '')
    })
    if (answer.exitCode === 0) return
    const [stdout, stderr] = [answer.stdout, answer.stderr].map(bytes => Buffer.from(bytes).toString())
    throw fail(
      `command '${command.join(' ')}' exited with ${answer.exitCode}: ${stderr}`,
      `${stdout}${stderr}`,
    )
  }

  /** What remains of the grace bounds the sleep. */
  async #sleep(seconds: number, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const bounded = timeoutSeconds > 0 ? Math.min(seconds, timeoutSeconds) : seconds
    await this.#parts.clock.sleep(bounded * 1000, signal).catch(() => {
      throw new Error('container terminated before sleep hook finished')
    })
  }

  /** An answer of any status is success; only a failed request is not. */
  async #http(action: HTTPGetAction, target: HookTarget, signal: AbortSignal): Promise<void> {
    const host = action.host || target.podIP
    if (!host) throw new Error('failed to find networking container: the pod has no address')
    const port = handlerPort(action.port, target.container)
    const url = httpTarget(action.scheme ?? 'HTTP', host, port, action.path || '/')
    try {
      await this.#listening(target, signal, () => get(url, action, signal))
    } catch (error) {
      if (!/server gave HTTP response to HTTPS client/.test((error as Error).message)) throw error
      await this.#fallBackToHttp(url, action, target, signal, error)
    }
  }

  /** The server speaks plain HTTP: upstream tries again so that hooks from before it kept to the scheme go on working. */
  async #fallBackToHttp(
    url: HttpTarget,
    action: HTTPGetAction,
    { pod }: HookTarget,
    signal: AbortSignal,
    cause: unknown,
  ): Promise<void> {
    const httpHeaders = (action.httpHeaders ?? []).filter(({ name }) => !/^authorization$/i.test(name))
    await get({ ...url, scheme: 'http' }, { ...action, httpHeaders }, signal).catch(() => {
      throw cause
    })
    const where = joinHostPort(url.host, url.port)
    const text = `request to HTTPS lifecycle hook ${where} got HTTP response, retry with HTTP succeeded`
    this.#parts.events.tell(pod, 'Warning', 'LifecycleHTTPFallback', text)
  }

  async #tcp({ host, port }: TCPSocketAction, target: HookTarget, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    const address = host || target.podIP
    if (!address) throw new Error('failed to find networking container: the pod has no address')
    const number = handlerPort(port, target.container)
    await this.#listening(target, signal, async () => {
      const outcome = await tcpProbe(address, number, CONNECT_TIMEOUT_MS, clock, signal)
      if (outcome.result !== 'success') throw new Error(outcome.output)
    })
  }

  /** Does it again while nobody listens, if that may be because the container has only begun. */
  async #listening(
    { justStarted }: HookTarget,
    signal: AbortSignal,
    connect: () => Promise<void>,
  ): Promise<void> {
    const { clock } = this.#parts
    const until = clock.now() + (justStarted ? CONNECT_WITHIN_MS : 0)
    for (;;) {
      try {
        return await connect()
      } catch (error) {
        if (clock.now() >= until || !/connection refused/.test((error as Error).message)) throw error
      }
      await clock.sleep(CONNECT_AGAIN_MS, signal)
    }
  }
}

const failedIn = ({ container, pod }: HookTarget) =>
  `for Container "${container.name}" in Pod "${describePod(pod)}" failed`

async function get(url: HttpTarget, { httpHeaders = [] }: HTTPGetAction, signal: AbortSignal): Promise<void> {
  await new HttpFollower(url, httpHeaders, USER_AGENT).get(signal)
}
