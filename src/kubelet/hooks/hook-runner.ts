// postStart and preStop handlers. Upstream: pkg/kubelet/lifecycle/handlers.go.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Container, HTTPGetAction, LifecycleHandler, Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { describePod } from '../pod-name.ts'

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
}

export class HookRunner {
  readonly #runtime: RuntimeService
  readonly #clock: Clock

  constructor(runtime: RuntimeService, clock: Clock) {
    this.#runtime = runtime
    this.#clock = clock
  }

  /** Resolves when the handler has succeeded; throws HookError. `timeoutSeconds` 0 is no limit. */
  async run(
    handler: LifecycleHandler,
    target: HookTarget,
    timeoutSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (handler.exec) return this.#exec(handler.exec.command ?? [], target, timeoutSeconds, signal)
    if (handler.httpGet) return this.#http(handler.httpGet, target, signal)
    if (handler.sleep) {
      // What remains of the grace bounds the sleep.
      const seconds =
        timeoutSeconds > 0 ? Math.min(handler.sleep.seconds, timeoutSeconds) : handler.sleep.seconds
      return this.#clock.sleep(seconds * 1000, signal)
    }
    // tcpSocket passes validation but is never executed.
    throw new HookError(`Cannot run handler: invalid handler: ${JSON.stringify(handler)}`)
  }

  async #exec(command: string[], target: HookTarget, timeout: number, signal: AbortSignal): Promise<void> {
    const { containerId, container, pod } = target
    const describe = (error: string, output: string) =>
      new HookError(
        `Exec lifecycle hook ([${command.join(' ')}]) for Container "${container.name}" in Pod "${describePod(pod)}" failed - error: ${error}, message: ${JSON.stringify(output)}`,
      )
    let answer: Awaited<ReturnType<RuntimeService['execSync']>>
    try {
      answer = await this.#runtime.execSync({ containerId, cmd: command, timeout }, signal)
    } catch (error) {
      throw describe((error as Error).message, '')
    }
    if (answer.exitCode === 0) return
    const [stdout, stderr] = [answer.stdout, answer.stderr].map(bytes => Buffer.from(bytes).toString())
    throw describe(
      `command '${command.join(' ')}' exited with ${answer.exitCode}: ${stderr}`,
      `${stdout}${stderr}`,
    )
  }

  /** An answer of any status is success; only a failed request is not. */
  async #http(action: HTTPGetAction, target: HookTarget, signal: AbortSignal): Promise<void> {
    const url = hookUrl(action, target)
    try {
      await get(url, action, signal)
    } catch (error) {
      // The server speaks plain HTTP: upstream falls back so that old hooks keep working.
      if (url.protocol !== 'https:' || !isPlainHttp(error)) throw httpFailure(url, error)
      url.protocol = 'http:'
      await get(url, action, signal).catch(again => {
        throw httpFailure(url, again)
      })
    }
  }
}

const httpFailure = (url: URL, error: unknown) =>
  new HookError(`Get "${url.href}": ${(error as Error).message}`)

const isPlainHttp = (error: unknown) => (error as { code?: string }).code === 'ERR_SSL_WRONG_VERSION_NUMBER'

function hookUrl(
  { scheme = 'HTTP', host, port, path = '/' }: HTTPGetAction,
  { container, podIP }: HookTarget,
): URL {
  const address = host || podIP
  if (!address) throw new HookError('failed to find networking container: no address')
  const named =
    typeof port === 'number'
      ? port
      : (container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port))
  if (!Number.isInteger(named)) throw new HookError(`couldn't find port: ${port}`)
  const shown = address.includes(':') ? `[${address}]` : address
  return new URL(`${scheme.toLowerCase()}://${shown}:${named}${path.startsWith('/') ? path : `/${path}`}`)
}

function get(url: URL, { httpHeaders = [] }: HTTPGetAction, signal: AbortSignal): Promise<void> {
  const headers: Record<string, string> = { 'User-Agent': 'kube-lifecycle/1.36', Accept: '*/*' }
  for (const { name, value } of httpHeaders) headers[name] = value
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(url, { headers, signal, agent: false, rejectUnauthorized: false }, response => {
      response.resume()
      response.once('end', resolve)
      response.once('error', reject)
    })
    request.once('error', reject)
    request.end()
  })
}
