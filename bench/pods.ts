import { setTimeout } from 'node:timers/promises'
import type { Draft } from '../src/api/kube-object.ts'
import { pods } from '../src/api/resources.ts'
import type { Pod } from '../src/api/types/core-v1.ts'
import type { Client } from '../src/client/client.ts'

/** What is left of a Pod is cleared away while nothing is measured. */
const SETTLE_MS = 400

/**
 * Stays until it is asked to end. One that does not listen is killed after two seconds, and what is left of its Pod is
 * then cleared away while the next one is measured.
 */
const endsAtOnce = ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 1000 & wait; done']

const busybox = { image: 'busybox', imagePullPolicy: 'IfNotPresent' } as const

export function initPod(name: string, initContainers: number): Draft<Pod> {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      initContainers: Array.from({ length: initContainers }, (_, index) => ({
        ...busybox,
        name: `init-${index}`,
        command: ['true'],
      })),
      containers: [{ ...busybox, name: 'app', command: endsAtOnce }],
    },
  } as unknown as Draft<Pod>
}

/** Two sidecars, one with a startup probe, and an app with a readiness probe; every probe a command. */
export function sidecarPod(name: string): Draft<Pod> {
  const probe = { exec: { command: ['true'] }, periodSeconds: 1 }
  const stays = { ...busybox, command: ['sleep', '100000'] }
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      initContainers: [
        { ...stays, name: 'first', restartPolicy: 'Always', startupProbe: probe },
        { ...busybox, name: 'init', command: ['true'] },
        { ...stays, name: 'second', restartPolicy: 'Always', readinessProbe: probe },
      ],
      containers: [{ ...stays, name: 'app', readinessProbe: probe, livenessProbe: probe }],
    },
  } as unknown as Draft<Pod>
}

/** An app that ends at once when it is asked to. */
export function quickPod(name: string): Draft<Pod> {
  return {
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ ...busybox, name: 'app', command: endsAtOnce }] },
  } as unknown as Draft<Pod>
}

/** Milliseconds from the delete call, with the Pod's own grace, to the watch event that shows it gone. */
export async function deleteToGone(client: Client, draft: Draft<Pod>): Promise<number> {
  const key = { name: draft.metadata.name, namespace: 'default' }
  const stop = new AbortController()
  const { resourceVersion } = (await client.list(pods, { namespace: 'default', limit: 1 })).metadata
  const fieldSelector = `metadata.name=${key.name}`
  const watch = client.watch(pods, {
    namespace: 'default',
    fieldSelector,
    resourceVersion,
    signal: stop.signal,
  })
  let startedAt = 0
  await client.create(pods, draft)
  for await (const event of watch) {
    if (event.type === 'DELETED') break
    if (event.type === 'BOOKMARK' || startedAt > 0 || !isReady(event.object)) continue
    // The shell needs a moment to say what it does with its signal.
    await setTimeout(SETTLE_MS)
    startedAt = performance.now()
    await client.delete(pods, key)
  }
  const tookMs = performance.now() - startedAt
  stop.abort()
  await setTimeout(SETTLE_MS)
  return tookMs
}

/** Milliseconds from the create call to the watch event that shows the Pod Ready; the Pod is deleted afterwards. */
export async function createToReady(client: Client, draft: Draft<Pod>): Promise<number> {
  const key = { name: draft.metadata.name, namespace: 'default' }
  const stop = new AbortController()
  const { resourceVersion } = (await client.list(pods, { namespace: 'default', limit: 1 })).metadata
  const watch = client.watch(pods, {
    namespace: 'default',
    fieldSelector: `metadata.name=${key.name}`,
    resourceVersion,
    signal: stop.signal,
  })
  const first = watch.next()
  const startedAt = performance.now()
  await client.create(pods, draft)
  let tookMs = 0
  for (let event = await first; !event.done; event = await watch.next()) {
    if (event.value.type !== 'BOOKMARK' && isReady(event.value.object)) {
      tookMs = performance.now() - startedAt
      break
    }
  }
  await client.delete(pods, key, { gracePeriodSeconds: 0 })
  stop.abort()
  await setTimeout(SETTLE_MS)
  return tookMs
}

/** The Pod once it is Ready; it stays. */
export async function createAndWait(client: Client, draft: Draft<Pod>): Promise<Pod> {
  const fieldSelector = `metadata.name=${draft.metadata.name}`
  const stop = new AbortController()
  await client.create(pods, draft)
  const watch = client.watch(pods, { namespace: 'default', fieldSelector, signal: stop.signal })
  try {
    for await (const event of watch)
      if (event.type !== 'BOOKMARK' && isReady(event.object)) return event.object
    throw new Error(`the watch of ${draft.metadata.name} ended`)
  } finally {
    stop.abort()
  }
}

/** Milliseconds until `count` Pods, created at once, are all Ready. They stay. */
export async function settlePods(client: Client, count: number, initContainers: number): Promise<number> {
  const { resourceVersion } = (await client.list(pods, { namespace: 'default', limit: 1 })).metadata
  const stop = new AbortController()
  const watch = client.watch(pods, { namespace: 'default', resourceVersion, signal: stop.signal })
  const first = watch.next()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      client.create(pods, initPod(`many-${index}`, initContainers)),
    ),
  )
  const ready = new Set<string>()
  for (let event = await first; !event.done; event = await watch.next()) {
    const { type, object } = event.value
    if (type !== 'BOOKMARK' && object.metadata.name.startsWith('many-') && isReady(object))
      ready.add(object.metadata.name)
    if (ready.size === count) break
  }
  const tookMs = performance.now() - startedAt
  stop.abort()
  return tookMs
}

/** Takes away what settlePods left: a node has room for 110 Pods, and what comes next wants it. */
export async function removePods(client: Client): Promise<void> {
  const { items } = await client.list(pods, { namespace: 'default' })
  const stop = new AbortController()
  const gone = new Set<string>()
  const { resourceVersion } = (await client.list(pods, { namespace: 'default', limit: 1 })).metadata
  const watch = client.watch(pods, { namespace: 'default', resourceVersion, signal: stop.signal })
  const first = watch.next()
  const options = { gracePeriodSeconds: 0 }
  await Promise.all(
    items.map(({ metadata: { name } }) => client.delete(pods, { namespace: 'default', name }, options)),
  )
  for (let event = await first; !event.done; event = await watch.next()) {
    if (event.value.type === 'DELETED') gone.add(event.value.object.metadata.name)
    if (gone.size === items.length) break
  }
  stop.abort()
}

const isReady = (pod: Pod) =>
  pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
