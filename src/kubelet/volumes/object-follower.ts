// Follows single ConfigMaps and Secrets that a pod mounts, so that their changes reach the volume at once.

import type { Resource } from '../../api/kube-object.ts'
import { configMaps, secrets } from '../../api/resources.ts'
import type { ConfigMap, Secret } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { Informer } from '../../client/informer.ts'
import type { VolumeReference } from './volume-plugin.ts'

/** With the object's resourceVersion; undefined when it is gone. */
export type Changed = (version: string | undefined) => void

interface FollowerParts {
  client: Client
  clock: Clock
  log: Log
  namespace: string
  /** Ends all watches. */
  signal: AbortSignal
}

export class ObjectFollower {
  readonly #parts: FollowerParts
  readonly #callbacks = new Map<string, Set<Changed>>()

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** Calls back when the object is first seen, on every change, and when it is gone. */
  follow({ kind, name }: VolumeReference, changed: Changed): void {
    if (!name) return
    const key = `${kind}/${name}`
    const callbacks = this.#callbacks.get(key)
    if (callbacks) {
      callbacks.add(changed)
      return
    }
    const added = new Set([changed])
    this.#callbacks.set(key, added)
    this.#run(kind === 'ConfigMap' ? configMaps : secrets, name, version => {
      for (const callback of added) callback(version)
    })
  }

  #run(resource: Resource<ConfigMap> | Resource<Secret>, name: string, changed: Changed): void {
    const { client, clock, log, namespace, signal } = this.#parts
    const informer = new Informer<ConfigMap | Secret>({
      client,
      resource: resource as Resource<ConfigMap | Secret>,
      clock,
      log,
      namespace,
      fieldSelector: `metadata.name=${name}`,
    })
    informer.addHandler({
      // The first list counts too: the object may have changed since the volume was set up.
      add: ({ metadata }) => changed(metadata.resourceVersion),
      update: (_, { metadata }) => changed(metadata.resourceVersion),
      // What is optional goes from the volume with its object.
      delete: () => changed(undefined),
    })
    void informer.run(signal)
  }
}
