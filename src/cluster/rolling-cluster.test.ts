// Deployment and ReplicaSet controllers, scheduler and kubelet together, over the runtime's fake: a rolling update
// whose new containers crash at first never takes a ready Pod away too early.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../api/kube-object.ts'
import { deployments, pods as podResource } from '../api/resources.ts'
import type { Deployment } from '../api/types/apps-v1.ts'
import type { Pod } from '../api/types/core-v1.ts'
import { silentLog } from '../base/log.ts'
import { EventsV1Recorder } from '../client/events/events-v1-recorder.ts'
import { DeploymentController } from '../controllers/deployment/deployment-controller.ts'
import { ReplicaSetController } from '../controllers/replica-set/replica-set-controller.ts'
import { replicaSetKind } from '../controllers/replica-set/replicated.ts'
import { KubeletWorld } from '../kubelet/testing/kubelet-world.fixture.ts'
import { Scheduler } from '../scheduler/scheduler.ts'

const KEY = { name: 'web', namespace: 'default' }

const template = (container: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: container, image: 'example/app:1', imagePullPolicy: 'IfNotPresent', resources: {} }],
  },
})

const isReady = ({ metadata, status }: Pod) =>
  !metadata.deletionTimestamp &&
  (status.conditions ?? []).some(({ type, status: holds }) => type === 'Ready' && holds === 'True')

class Cluster implements AsyncDisposable {
  readonly world: KubeletWorld
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>[]
  /** The fewest ready Pods that any change has left, since `track` was called. */
  fewestReady = Number.POSITIVE_INFINITY
  mostPods = 0

  constructor(world: KubeletWorld) {
    this.world = world
    const { client, clock } = world
    const context = { client, clock, log: silentLog }
    const recorder = new EventsV1Recorder({
      ...context,
      reportingController: 'default-scheduler',
      hostname: 'h',
    })
    const { signal } = this.#stop
    this.#running = [
      new ReplicaSetController(context, replicaSetKind).run(signal),
      new DeploymentController(context).run(signal),
      new Scheduler({ ...context, recorder }).run(signal),
      recorder.run(signal),
    ]
  }

  async track(): Promise<void> {
    const { client } = this.world
    const { items, metadata } = await client.list(podResource)
    const known = new Map(items.map(pod => [pod.metadata.uid, pod]))
    const { signal } = this.#stop
    const watch = client.watch(podResource, { resourceVersion: metadata.resourceVersion, signal })
    const follow = async () => {
      for await (const { type, object } of watch) {
        if (type === 'DELETED') known.delete(object.metadata.uid)
        else if (type !== 'BOOKMARK') known.set(object.metadata.uid, object)
        const standing = [...known.values()].filter(({ metadata }) => !metadata.deletionTimestamp)
        this.fewestReady = Math.min(this.fewestReady, standing.filter(isReady).length)
        this.mostPods = Math.max(this.mostPods, standing.length)
      }
    }
    this.#running.push(follow().catch(error => signal.aborted || Promise.reject(error)))
  }

  /** Lets time go on until it is so; real files are written meanwhile, which takes real time. */
  async until(what: string, holds: (deployment: Deployment) => boolean): Promise<void> {
    for (let turn = 0; turn < 3_000; turn++) {
      if (holds(await this.world.client.get(deployments, KEY))) return
      await this.world.clock.advance(50)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    const { status } = await this.world.client.get(deployments, KEY)
    throw new Error(`never: ${what}; ${JSON.stringify(status)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#running)
    await this.world.close()
  }
}

const isRolledOut = ({ metadata, spec, status }: Deployment) =>
  status.observedGeneration === metadata.generation &&
  status.updatedReplicas === spec.replicas &&
  status.replicas === spec.replicas &&
  status.availableReplicas === spec.replicas

test('while new containers crash the old Pods stay, and all are replaced in the end', async () => {
  await using cluster = new Cluster(await KubeletWorld.create())
  const { client, cri } = cluster.world
  await client.create(deployments, {
    metadata: KEY,
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: template('old'),
    },
  } as unknown as Draft<Deployment>)
  await cluster.until('rolled out', isRolledOut)
  await cluster.track()
  // Each new Pod's container ends twice before it stays: ready for moments only, as minReadySeconds knows.
  cri.behaviours.set('new', attempt => (attempt < 2 ? 1 : undefined))
  const change = { spec: { minReadySeconds: 2, template: template('new') } }
  await client.patch(deployments, KEY, 'application/merge-patch+json', change)
  await cluster.until('rolled out again', isRolledOut)
  const { items } = await client.list(podResource)
  const standing = items.filter(({ metadata }) => !metadata.deletionTimestamp)
  assert.deepEqual(
    standing.map(({ spec, status }) => [
      spec.containers[0]!.name,
      status.containerStatuses![0]!.restartCount,
    ]),
    [
      ['new', 2],
      ['new', 2],
      ['new', 2],
    ],
  )
  assert.ok(cluster.fewestReady >= 3, `only ${cluster.fewestReady} of 3 Pods were ready`)
  assert.equal(cluster.mostPods, 4)
})
