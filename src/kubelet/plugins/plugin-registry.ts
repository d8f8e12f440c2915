// Which plugins the node has: those whose socket is below plugins_registry. One that cannot be registered is tried again
// with back-off for as long as its socket is there. Upstream: pluginmanager/reconciler.
import { mkdirSync } from 'node:fs'
import { aborted } from '../../base/aborted.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { pluginsRegistry } from './kubelet-folder.ts'
import type { PluginHandler } from './plugin-handler.ts'
import { type RegisteredPlugin, registerPlugin } from './plugin-registration.ts'
import { SocketFolder } from './socket-folder.ts'

const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 122_000

export interface PluginRegistryParts {
  /** DIR/kubelet */
  rootDir: string
  clock: Clock
  log: Log
}

interface Followed {
  stop: AbortController
  /** Never rejects. */
  over: Promise<void>
}

export class PluginRegistry {
  readonly #parts: PluginRegistryParts
  readonly #handlers = new Map<string, PluginHandler>()
  readonly #sockets = new Map<string, Followed>()

  constructor(parts: PluginRegistryParts) {
    this.#parts = parts
  }

  /** One for each type, before `run`. */
  addHandler(type: string, handler: PluginHandler): void {
    this.#handlers.set(type, handler)
  }

  /** Until the signal aborts. Plugins are not taken from their handlers then: they are there still. */
  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const folder = pluginsRegistry(this.#parts.rootDir)
    mkdirSync(folder, { recursive: true, mode: 0o755 })
    const sockets = new SocketFolder(folder, {
      appeared: socket => this.#appeared(socket, signal),
      gone: socket => this.#gone(socket),
    })
    await aborted(signal)
    sockets.close()
    await Promise.all([...this.#sockets.values()].map(({ over }) => over))
  }

  #appeared(socket: string, signal: AbortSignal): void {
    const before = this.#sockets.get(socket)
    before?.stop.abort()
    const stop = new AbortController()
    const over = (before?.over ?? Promise.resolve()).then(() => this.#follow(socket, stop.signal, signal))
    this.#sockets.set(socket, { stop, over })
  }

  #gone(socket: string): void {
    const followed = this.#sockets.get(socket)
    if (!followed) return
    followed.stop.abort()
    void followed.over.then(() => {
      if (this.#sockets.get(socket) === followed) this.#sockets.delete(socket)
    })
  }

  async #follow(socket: string, gone: AbortSignal, ending: AbortSignal): Promise<void> {
    const either = AbortSignal.any([gone, ending])
    const registered = await this.#registered(socket, either)
    if (!registered) return
    const { info, handler } = registered
    this.#parts.log.info({ plugin: info.name, type: info.type }, 'a plugin was registered')
    await aborted(either)
    if (ending.aborted) return
    handler.deregister(info.name, info.endpoint)
    this.#parts.log.info({ plugin: info.name, type: info.type }, 'a plugin is gone')
  }

  /** Undefined when the signal aborts first. */
  async #registered(socket: string, signal: AbortSignal): Promise<RegisteredPlugin | undefined> {
    const { rootDir, clock, log } = this.#parts
    for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(delay * 2, MAX_RETRY_MS)) {
      try {
        return await registerPlugin(socket, this.#handlers, rootDir, signal)
      } catch (error) {
        if (signal.aborted) return undefined
        log.warn({ socket, error: (error as Error).message }, 'a plugin could not be registered')
        await clock.sleep(delay, signal).catch(() => {})
      }
    }
    return undefined
  }
}
