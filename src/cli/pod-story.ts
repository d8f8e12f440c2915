// A Pod's life as lines with times: what changed from one version of the object to the next, and its events.
import { events, pods } from '../api/resources.ts'
import type { ContainerState, Event, Pod } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Client, ObjectKey } from '../client/client.ts'
import { stopwatch, type Terminal } from './terminal.ts'

export const isReady = (pod: Pod | undefined): boolean =>
  pod?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

/** One line a change: 'init container install is running'. Pure, so that its table can be read. */
export function changes(before: Pod | undefined, after: Pod): string[] {
  const lines: string[] = []
  if (!before) lines.push('Pod accepted by the API server')
  if (after.spec.nodeName && !before?.spec.nodeName) lines.push(`assigned to node ${after.spec.nodeName}`)
  if (after.status.podIP && !before?.status.podIP) lines.push(`network ready, IP ${after.status.podIP}`)
  for (const [kind, of] of [
    ['init container', 'initContainerStatuses'],
    ['container', 'containerStatuses'],
  ] as const) {
    for (const status of after.status[of] ?? []) {
      const old = before?.status[of]?.find(({ name }) => name === status.name)
      const now = describeState(status.state)
      if (now && now !== describeState(old?.state)) lines.push(`${kind} ${status.name} ${now}`)
    }
  }
  if (isReady(after) && !isReady(before)) lines.push('Pod is Ready')
  if (after.status.phase === 'Failed' && before?.status.phase !== 'Failed')
    lines.push(`Pod failed: ${after.status.message ?? ''}`)
  return lines
}

function describeState(state: ContainerState | undefined): string | undefined {
  if (state?.running) return 'is running'
  if (state?.terminated) return `ended with exit code ${state.terminated.exitCode}`
  const reason = state?.waiting?.reason
  return reason && reason !== 'PodInitializing' && reason !== 'ContainerCreating'
    ? `waits: ${reason}`
    : undefined
}

export class PodStory {
  readonly #terminal: Terminal
  readonly #clock: Clock

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal
    this.#clock = clock
  }

  /** Runs `start`, prints until the Pod is Ready or Failed, and answers its last state. Times count from `start`. */
  async follow(
    client: Client,
    key: ObjectKey,
    timeout: AbortSignal,
    start: () => Promise<unknown>,
  ): Promise<Pod | undefined> {
    const done = new AbortController()
    const signal = AbortSignal.any([timeout, done.signal])
    const { resourceVersion } = (await client.list(pods, { namespace: key.namespace!, limit: 1 })).metadata
    const elapsed = stopwatch(this.#clock)
    const options = { namespace: key.namespace!, resourceVersion, signal }
    const warnings = this.#warnings(client, key, elapsed, options).catch(() => {})
    await start()
    let last: Pod | undefined
    try {
      for await (const event of client.watch(pods, {
        ...options,
        fieldSelector: `metadata.name=${key.name}`,
      })) {
        if (event.type === 'BOOKMARK') continue
        for (const line of changes(last, event.object)) this.#line(elapsed(), line)
        last = event.object
        if (isReady(last) || last.status.phase === 'Failed') break
      }
    } catch (error) {
      if (!timeout.aborted) throw error
    }
    done.abort()
    await warnings
    return last
  }

  async #warnings(
    client: Client,
    key: ObjectKey,
    elapsed: () => number,
    options: { namespace: string; resourceVersion: string; signal: AbortSignal },
  ): Promise<void> {
    const fieldSelector = `involvedObject.name=${key.name},type=Warning`
    for await (const event of client.watch<Event>(events, { ...options, fieldSelector })) {
      if (event.type !== 'BOOKMARK')
        this.#line(
          elapsed(),
          this.#terminal.paint('yellow', `${event.object.reason}: ${event.object.message}`),
        )
    }
  }

  #line(atMs: number, text: string): void {
    this.#terminal.line(`  ${this.#terminal.paint('dim', `${Math.round(atMs)} ms`.padStart(8))}  ${text}`)
  }
}
