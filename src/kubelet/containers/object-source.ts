// ConfigMaps, Secrets and Services as containers and volumes refer to them.

import { configMaps, secrets, services } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { ConfigMap, Secret, Service } from '../../api/types/core-v1.ts'
import { aborted } from '../../base/aborted.ts'
import type { Client } from '../../client/client.ts'
import { Informer, type InformerOptions } from '../../client/informer.ts'

/** Find answers undefined for what does not exist; other failures throw. */
export interface ObjectSource {
  findConfigMap(namespace: string, name: string): Promise<ConfigMap | undefined>
  findSecret(namespace: string, name: string): Promise<Secret | undefined>
  /** Of the namespace, and default/kubernetes. */
  services(namespace: string): Promise<Service[]>
}

/** Services are followed, as every container asks for all of them; ConfigMaps and Secrets are read one by one. */
export class ClientObjectSource implements ObjectSource {
  readonly #client: Client
  readonly #services: Informer<Service>
  #signal = new AbortController().signal

  constructor(options: Omit<InformerOptions<Service>, 'resource'>) {
    this.#client = options.client
    this.#services = new Informer({ ...options, resource: services })
  }

  /** Follows them until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    return this.#services.run(signal)
  }

  findConfigMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return absentIsUndefined(this.#client.get(configMaps, { namespace, name }))
  }

  findSecret(namespace: string, name: string): Promise<Secret | undefined> {
    return absentIsUndefined(this.#client.get(secrets, { namespace, name }))
  }

  /** Waits until they have been read once. Throws when the node stops before. */
  async services(namespace: string): Promise<Service[]> {
    const { isSynced, synced, lister } = this.#services
    if (!isSynced) {
      const stop = new AbortController()
      await Promise.race([synced, aborted(this.#signal, stop.signal)])
      stop.abort('synced')
      this.#signal.throwIfAborted()
    }
    const master = lister.find('kubernetes', 'default')
    const items = lister.list(namespace).filter(item => item !== master)
    return master ? [...items, master] : items
  }
}

async function absentIsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
