// Many Deployments rolled at once: from the first changed template to the moment when every one is complete.
import type { Draft } from '../src/api/kube-object.ts'
import { deployments } from '../src/api/resources.ts'
import type { Deployment } from '../src/api/types/apps-v1.ts'
import type { Client } from '../src/client/client.ts'

const NAMESPACE = 'default'

/** One Pod each, which goes before the next comes: a node has room for 110. */
function draft(name: string): Draft<Deployment> {
  const labels = { app: name }
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: 'app',
              image: 'busybox',
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', '100000'],
              resources: {},
            },
          ],
        },
      },
    },
  } as unknown as Draft<Deployment>
}

const isComplete = ({ metadata, spec, status }: Deployment): boolean =>
  (status.observedGeneration ?? 0) >= metadata.generation! &&
  status.updatedReplicas === spec.replicas &&
  status.availableReplicas === spec.replicas &&
  status.replicas === spec.replicas

/** Milliseconds until all `count` are rolled out for the first time, and until all are rolled to another template. */
export async function rollDeployments(
  client: Client,
  count: number,
): Promise<{ createMs: number; rollMs: number }> {
  const names = Array.from({ length: count }, (_, index) => `roll-${index}`)
  const createMs = await untilComplete(client, names, name => client.create(deployments, draft(name)))
  const change = { spec: { template: { metadata: { annotations: { rolled: 'yes' } } } } }
  const rollMs = await untilComplete(client, names, name =>
    client.patch(deployments, { name, namespace: NAMESPACE }, 'application/merge-patch+json', change),
  )
  await Promise.all(names.map(name => client.delete(deployments, { name, namespace: NAMESPACE })))
  return { createMs, rollMs }
}

async function untilComplete(
  client: Client,
  names: readonly string[],
  act: (name: string) => Promise<Deployment>,
): Promise<number> {
  const stop = new AbortController()
  const { resourceVersion } = (await client.list(deployments, { namespace: NAMESPACE })).metadata
  const watch = client.watch(deployments, { namespace: NAMESPACE, resourceVersion, signal: stop.signal })
  const startedAt = performance.now()
  const acted = Promise.all(names.map(act))
  const wanted = new Map<string, number>()
  acted.then(made => {
    for (const { metadata } of made) wanted.set(metadata.name, metadata.generation!)
  })
  const open = new Set(names)
  for await (const { type, object } of watch) {
    if (type === 'BOOKMARK') continue
    // A change that is not answered yet cannot be complete.
    const generation = wanted.get(object.metadata.name) ?? (await generationOf(acted, object.metadata.name))
    if (object.metadata.generation! >= generation && isComplete(object)) open.delete(object.metadata.name)
    else open.add(object.metadata.name)
    if (open.size === 0) break
  }
  const took = performance.now() - startedAt
  stop.abort()
  return took
}

async function generationOf(acted: Promise<Deployment[]>, name: string): Promise<number> {
  return (await acted).find(({ metadata }) => metadata.name === name)!.metadata.generation!
}
