// One informer per kind of object that can own or be owned, following the list of resources as it changes.
// Upstream: graph_builder.go syncMonitors.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { Informer, type InformerHandler } from '../../client/informer.ts'
import type { ResourceCatalog } from '../../client/resource-catalog.ts'
import type { ControllerContext } from '../controller-context.ts'

interface Monitor {
  informer: Informer<KubeObject>
  running: Promise<void>
  stop: AbortController
}

export class ResourceMonitors {
  readonly #context: ControllerContext
  readonly #catalog: ResourceCatalog
  readonly #handler: InformerHandler<KubeObject>
  readonly #monitors = new Map<string, Monitor>()

  constructor(context: ControllerContext, catalog: ResourceCatalog, handler: InformerHandler<KubeObject>) {
    this.#context = context
    this.#catalog = catalog
    this.#handler = handler
  }

  /** Resolves when everything that exists now is known. A resource whose list fails holds it up, as upstream. */
  async synced(): Promise<void> {
    const waiting = [...this.#monitors.values()].filter(({ informer }) => !informer.isSynced)
    if (waiting.length === 0) return
    await Promise.all(waiting.map(({ informer, running }) => Promise.race([informer.synced, running])))
  }

  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#catalog.subscribe(() => this.#follow(signal))
    this.#follow(signal)
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    unsubscribe()
    await Promise.all([...this.#monitors.values()].map(({ running }) => running))
  }

  #follow(signal: AbortSignal): void {
    const wanted = new Map(
      this.#catalog
        .list()
        .filter(isMonitored)
        .map(info => [nameOf(info), info]),
    )
    for (const [name, { stop }] of this.#monitors) {
      if (wanted.has(name)) continue
      stop.abort()
      this.#monitors.delete(name)
    }
    for (const [name, info] of wanted) {
      if (!this.#monitors.has(name)) this.#monitors.set(name, this.#start(info, signal))
    }
  }

  #start(resource: ResourceInfo, signal: AbortSignal): Monitor {
    const { client, clock, log } = this.#context
    const stop = new AbortController()
    const informer = new Informer<KubeObject>({ client, resource, clock, log })
    informer.addHandler(this.#handler)
    const running = informer.run(AbortSignal.any([signal, stop.signal]))
    return { informer, running, stop }
  }
}

const nameOf = ({ group, version, resource }: ResourceInfo) => `${group}/${version}/${resource}`

/** Events own nothing and are owned by nobody, and there are many. Upstream: DefaultIgnoredResources. */
function isMonitored({ resource, verbs }: ResourceInfo): boolean {
  return (
    resource !== 'events' && ['list', 'watch', 'delete'].every(verb => (verbs as string[]).includes(verb))
  )
}
