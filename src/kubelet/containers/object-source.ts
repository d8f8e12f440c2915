// ConfigMaps, Secrets and Services as containers and volumes refer to them.

import { configMaps, secrets, services } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { ConfigMap, Secret, Service } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'

/** Find answers undefined for what does not exist; other failures throw. */
export interface ObjectSource {
  findConfigMap(namespace: string, name: string): Promise<ConfigMap | undefined>
  findSecret(namespace: string, name: string): Promise<Secret | undefined>
  /** Of the namespace, and default/kubernetes. */
  services(namespace: string): Promise<Service[]>
}

export class ClientObjectSource implements ObjectSource {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  findConfigMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return absentIsUndefined(this.#client.get(configMaps, { namespace, name }))
  }

  findSecret(namespace: string, name: string): Promise<Secret | undefined> {
    return absentIsUndefined(this.#client.get(secrets, { namespace, name }))
  }

  async services(namespace: string): Promise<Service[]> {
    const [own, master] = await Promise.all([
      this.#client.list(services, { namespace }),
      absentIsUndefined(this.#client.get(services, { namespace: 'default', name: 'kubernetes' })),
    ])
    const items = own.items.filter(item => item.metadata.uid !== master?.metadata.uid)
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
