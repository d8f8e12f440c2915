// What plugins add to the node. Each type has a handler; they are put together here.
import { mkdirSync } from 'node:fs'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { devicePluginsDir, pluginsDir, pluginsRegistry, podResourcesDir } from './kubelet-folder.ts'
import { PluginRegistry } from './plugin-registry.ts'

export interface NodePluginsParts {
  /** DIR/kubelet */
  rootDir: string
  clock: Clock
  log: Log
}

export class NodePlugins {
  readonly registry: PluginRegistry
  readonly #rootDir: string

  constructor(parts: NodePluginsParts) {
    this.registry = new PluginRegistry(parts)
    this.#rootDir = parts.rootDir
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // Manifests mount them with type Directory: they are there before the first Pod.
    for (const folder of [pluginsDir, pluginsRegistry, devicePluginsDir, podResourcesDir]) {
      mkdirSync(folder(this.#rootDir), { recursive: true, mode: 0o755 })
    }
    await this.registry.run(signal)
  }
}
