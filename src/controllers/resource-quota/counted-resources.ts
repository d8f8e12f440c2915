// Informers for those resources that some quota counts, and for no others.
import type { KubeObject, Resource } from '../../api/kube-object.ts'
import { amountsText } from '../../api/quota/amounts.ts'
import { type QuotaEvaluator, quotaEvaluator } from '../../api/quota/evaluator.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { qualifiedName } from '../../api/status-error.ts'
import { Informer } from '../../client/informer.ts'
import type { ResourceCatalog } from '../../client/resource-catalog.ts'
import type { ControllerContext } from '../controller-context.ts'
import type { Counted } from './quota-usage.ts'

export interface CountedContext extends ControllerContext {
  catalog: ResourceCatalog
}

interface Watched {
  evaluator: QuotaEvaluator
  informer: Informer<KubeObject>
  stop: AbortController
  running: Promise<void>
}

export class CountedResources {
  readonly #context: CountedContext
  readonly #freed: (namespace: string) => void
  readonly #watched = new Map<string, Watched>()

  /** `freed` is called when objects of a namespace may cost less, or something else, than before. */
  constructor(context: CountedContext, freed: (namespace: string) => void) {
    this.#context = context
    this.#freed = freed
  }

  /** Watches what is counted under any of these names, and nothing else any more. */
  watchOnly(names: ReadonlySet<string>): void {
    const wanted = new Map(this.#resourcesOf(names).map(info => [qualifiedName(info), info]))
    for (const [name, { stop }] of this.#watched) {
      if (wanted.has(name)) continue
      stop.abort()
      this.#watched.delete(name)
    }
    for (const [name, info] of wanted) {
      if (!this.#watched.has(name)) this.#watched.set(name, this.#watch(info))
    }
  }

  /** The namespace's objects of every resource that is counted under one of the names, as soon as they are known. */
  async of(namespace: string, names: readonly string[]): Promise<Counted[]> {
    const resources = this.#resourcesOf(new Set(names)).flatMap(info => {
      const watched = this.#watched.get(qualifiedName(info))
      return watched ? [watched] : []
    })
    await Promise.all(resources.map(({ informer, running }) => Promise.race([informer.synced, running])))
    return resources.map(({ evaluator, informer }) => ({
      evaluator,
      objects: informer.lister.list(namespace),
    }))
  }

  async stop(): Promise<void> {
    const all = [...this.#watched.values()]
    this.#watched.clear()
    for (const { stop } of all) stop.abort()
    await Promise.all(all.map(({ running }) => running))
  }

  #resourcesOf(names: ReadonlySet<string>): ResourceInfo[] {
    return this.#context.catalog.list().filter(info => {
      if (!info.namespaced || !info.verbs.includes('create') || !info.verbs.includes('watch')) return false
      const evaluator = quotaEvaluator(info)
      return [...names].some(name => evaluator.counts(name))
    })
  }

  #watch(info: ResourceInfo): Watched {
    const { client, clock, log } = this.#context
    const evaluator = quotaEvaluator(info)
    const resource = info as Resource<KubeObject>
    const informer = new Informer<KubeObject>({ client, resource, clock, log })
    informer.addHandler({
      update: (old, object) => {
        if (evaluator.updates && this.#changes(evaluator, old, object)) this.#tell(object)
      },
      delete: object => this.#tell(object),
    })
    const stop = new AbortController()
    return { evaluator, informer, stop, running: informer.run(stop.signal) }
  }

  #changes(evaluator: QuotaEvaluator, old: KubeObject, object: KubeObject): boolean {
    const now = this.#context.clock.now()
    const costs = (one: KubeObject) => amountsText(evaluator.usage(one, now))
    return costs(old) !== costs(object) || scopeFields(old) !== scopeFields(object)
  }

  #tell({ metadata }: KubeObject): void {
    if (metadata.namespace) this.#freed(metadata.namespace)
  }
}

/** What may change and decides on scopes. */
function scopeFields({ spec }: KubeObject): string {
  const { activeDeadlineSeconds, volumeAttributesClassName } = (spec ?? {}) as Record<string, unknown>
  return JSON.stringify([activeDeadlineSeconds, volumeAttributesClassName])
}
