// Controllers that keep one object in every namespace share this loop.

import type { Resource } from '../api/kube-object.ts'
import { namespaces } from '../api/resources.ts'
import { isAlreadyExists, isForbidden, isNotFound } from '../api/status-error.ts'
import type { Namespace } from '../api/types/core-v1.ts'
import type { ObjectMeta } from '../api/types/meta-v1.ts'
import { runController } from '../client/controller-loop.ts'
import { Informer } from '../client/informer.ts'
import { WorkQueue } from '../client/workqueue.ts'
import type { ControllerContext } from './controller-context.ts'

export interface KeptObject<T> {
  resource: Resource<T>
  name: string
  /** Answers the object that must stand there, or undefined when the present one is right. */
  wanted(namespace: string, present: T | undefined): T | undefined
}

/** Runs until the signal aborts. */
export async function keepInEachNamespace<T extends { metadata: ObjectMeta }>(
  { client, clock, log }: ControllerContext,
  kept: KeptObject<T>,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const spaces = new Informer<Namespace>({ client, resource: namespaces, clock, log })
  const fieldSelector = `metadata.name=${kept.name}`
  const objects = new Informer<T>({ client, resource: kept.resource, clock, log, fieldSelector })
  spaces.addHandler({
    add: ({ metadata }) => queue.add(metadata.name),
    update: (_, { metadata }) => queue.add(metadata.name),
  })
  objects.addHandler({
    update: (_, { metadata }) => queue.add(metadata.namespace!),
    delete: ({ metadata }) => queue.add(metadata.namespace!),
  })
  const reconcile = async (name: string) => {
    const space = spaces.lister.find(name)
    if (space?.status.phase !== 'Active') return
    const present = objects.lister.find(kept.name, name)
    const wanted = kept.wanted(name, present)
    if (!wanted) return
    try {
      await (present ? client.update(kept.resource, wanted) : client.create(kept.resource, wanted))
    } catch (error) {
      // Made by somebody else, or the namespace goes away meanwhile: the informers tell what comes of it.
      if (!isAlreadyExists(error) && !isNotFound(error) && !isForbidden(error)) throw error
    }
  }
  const informers = [spaces, objects]
  await runController({ informers, queue, reconcile, signal, log })
}
