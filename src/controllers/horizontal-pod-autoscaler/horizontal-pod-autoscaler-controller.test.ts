import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft, KubeObject } from '../../api/kube-object.ts'
import type { ApiRequest } from '../../api/request.ts'
import { deployments, horizontalPodAutoscalers, pods } from '../../api/resources.ts'
import { StatusError } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { Deployment } from '../../api/types/apps-v1.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricSpec,
} from '../../api/types/autoscaling-v2.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { Client } from '../../client/client.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { deploymentDraft } from '../testing/workload-objects.fixture.ts'
import { usualAutoscalerSettings } from './autoscaler-settings.ts'
import { HorizontalPodAutoscalerController } from './horizontal-pod-autoscaler-controller.ts'

const MINUTE = 60_000
const cpu = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})
const external: MetricSpec = {
  type: 'External',
  external: {
    metric: { name: 'queue', selector: { matchLabels: { shard: 'one' } } },
    target: { type: 'AverageValue', averageValue: '5' },
  },
}

class Lab {
  readonly world: ControlWorld
  /** By pod, as cpu quantities; a pod that is not named has no figure. */
  usage: Record<string, string> = {}
  /** Of the external metric; undefined: nobody serves such. */
  queue: string | undefined
  readonly asked: ApiRequest[] = []

  private constructor(world: ControlWorld) {
    this.world = world
  }

  static async create(replicas: number): Promise<Lab> {
    const lab = new Lab(await ControlWorld.create())
    const { world } = lab
    await world.client.create(deployments, deploymentDraft('web', { replicas }))
    await lab.say(replicas)
    for (let index = 0; index < replicas; index++) await lab.run(`web-${index}`)
    const handle = (request: ApiRequest) => lab.#answer(request)
    const client = new Client(handle, { name: 'tester', groups: ['system:masters'] })
    world.start(signal =>
      new HorizontalPodAutoscalerController({
        client,
        clock: world.clock,
        log: world.log,
        catalog: world.catalog,
        settings: usualAutoscalerSettings,
      }).run(signal),
    )
    return lab
  }

  /** A pod that has long been ready. */
  async run(name: string): Promise<void> {
    const { client, clock } = this.world
    const container = { name: 'app', image: 'web:1', resources: { requests: { cpu: '100m' } } }
    const pod = await client.create(pods, {
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      spec: { containers: [container] },
    } as unknown as Draft<Pod>)
    const since = formatTime(clock.now() - 30 * MINUTE)
    const conditions = [{ type: 'Ready', status: 'True' as const, lastTransitionTime: since }]
    const status = { ...pod.status, phase: 'Running' as const, startTime: since, conditions }
    await client.update(pods, { ...pod, status }, { subresource: 'status' })
  }

  /** What the Deployment's controller would tell. */
  async say(replicas: number): Promise<void> {
    const { client } = this.world
    const deployment = await client.get(deployments, { name: 'web', namespace: 'default' })
    await client.update(deployments, { ...deployment, status: { replicas } }, { subresource: 'status' })
  }

  async autoscale(spec: Partial<HorizontalPodAutoscalerSpec> = {}, name = 'web'): Promise<void> {
    await this.world.client.create(horizontalPodAutoscalers, {
      metadata: { name, namespace: 'default' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 1,
        maxReplicas: 10,
        metrics: [cpu(50)],
        ...spec,
      },
    } as Draft<HorizontalPodAutoscaler>)
    await this.world.settle()
  }

  async replicas(): Promise<number | undefined> {
    const deployment: Deployment = await this.world.client.get(deployments, {
      name: 'web',
      namespace: 'default',
    })
    return deployment.spec.replicas
  }

  async status(name = 'web') {
    const key = { name, namespace: 'default' }
    return (await this.world.client.get(horizontalPodAutoscalers, key)).status
  }

  async condition(type: string): Promise<string> {
    const found = (await this.status()).conditions?.find(condition => condition.type === type)
    return `${found?.status} ${found?.reason}: ${found?.message}`
  }

  async #answer(request: ApiRequest) {
    if (!request.group.endsWith('metrics.k8s.io')) return this.world.handle(request)
    this.asked.push(request)
    const list = (items: object[]) => ({
      kind: 'object' as const,
      code: 200,
      object: { items } as unknown as KubeObject,
    })
    if (request.group === 'metrics.k8s.io') {
      const timestamp = formatTime(this.world.clock.now())
      return list(
        Object.entries(this.usage).map(([name, quantity]) => ({
          metadata: { name, namespace: 'default' },
          timestamp,
          window: '15s',
          containers: [{ name: 'app', usage: { cpu: quantity, memory: '1Mi' } }],
        })),
      )
    }
    if (request.group === 'external.metrics.k8s.io' && this.queue !== undefined)
      return list([{ metricName: 'queue', value: this.queue }])
    const message = 'the server could not find the requested resource'
    throw new StatusError({ code: 404, reason: 'NotFound', message })
  }
}

test('what is too busy gets more replicas', async () => {
  const lab = await Lab.create(2)
  await using world = lab.world
  lab.usage = { 'web-0': '100m', 'web-1': '100m' }
  await lab.autoscale()
  assert.equal(await lab.replicas(), 4)
  const { currentReplicas, desiredReplicas, currentMetrics, lastScaleTime } = await lab.status()
  assert.deepEqual([currentReplicas, desiredReplicas, lastScaleTime], [2, 4, formatTime(world.clock.now())])
  const current = { averageUtilization: 100, averageValue: '100m' }
  assert.deepEqual(currentMetrics, [{ type: 'Resource', resource: { name: 'cpu', current } }])
  assert.equal(
    await lab.condition('AbleToScale'),
    'True SucceededRescale: the HPA controller was able to update the target scale to 4',
  )
  assert.equal(
    await lab.condition('ScalingActive'),
    'True ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
  )
  assert.deepEqual(await world.events(), [
    'Normal SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
  ])
})

test('what is idle loses replicas after the window, not before', async () => {
  const lab = await Lab.create(4)
  await using world = lab.world
  lab.usage = { 'web-0': '10m', 'web-1': '10m', 'web-2': '10m', 'web-3': '10m' }
  await lab.autoscale()
  assert.match(await lab.condition('AbleToScale'), /^True ScaleDownStabilized: /)
  await world.advance(4 * MINUTE)
  assert.equal(await lab.replicas(), 4)
  await world.advance(2 * MINUTE)
  assert.equal(await lab.replicas(), 1)
  assert.deepEqual(await world.events(), [
    'Normal SuccessfulRescale: New size: 1; reason: All metrics below target',
  ])
})

test('without figures nothing changes, and the status says why', async () => {
  const lab = await Lab.create(2)
  await using world = lab.world
  await lab.autoscale()
  assert.equal(await lab.replicas(), 2)
  const why =
    'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API'
  assert.equal(
    await lab.condition('ScalingActive'),
    `False FailedGetResourceMetric: the HPA was unable to compute the replica count: ${why}`,
  )
  assert.deepEqual((await lab.status()).currentMetrics, [{ type: '' }])
  assert.deepEqual(await world.events(), [
    `Warning FailedGetResourceMetric: ${why}`,
    `Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
  ])
})

test('the bounds hold without figures, and a target of none is left alone', async () => {
  const lab = await Lab.create(2)
  await using world = lab.world
  await lab.autoscale({ minReplicas: 3 })
  assert.equal(await lab.replicas(), 3)
  assert.match((await world.events()).at(-1)!, /New size: 3; reason: Current number of replicas below Spec/)
  const deployment = await world.client.get(deployments, { name: 'web', namespace: 'default' })
  await world.client.update(deployments, { ...deployment, spec: { ...deployment.spec, replicas: 0 } })
  await world.advance(15_000)
  assert.equal(await lab.replicas(), 0)
  assert.match(await lab.condition('ScalingActive'), /^False ScalingDisabled: /)
})

test('a target that is not there is told of', async () => {
  const lab = await Lab.create(1)
  await using world = lab.world
  await lab.autoscale({ scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'gone' } })
  assert.equal(
    await lab.condition('AbleToScale'),
    `False FailedGetScale: the HPA controller was unable to get the target's current scale: deployments.apps "gone" not found`,
  )
  await lab.autoscale({ scaleTargetRef: { apiVersion: 'x/v1', kind: 'Boat', name: 'b' } }, 'boat')
  assert.deepEqual((await world.events()).sort(), [
    'Warning FailedGetScale: deployments.apps "gone" not found',
    'Warning FailedGetScale: no matches for kind "Boat" in group "x"',
  ])
})

test('two autoscalers of the same pods do nothing', async () => {
  const lab = await Lab.create(2)
  await using world = lab.world
  lab.usage = { 'web-0': '45m', 'web-1': '45m' }
  await lab.autoscale()
  await lab.autoscale({}, 'other')
  lab.usage = { 'web-0': '100m', 'web-1': '100m' }
  await world.advance(15_000)
  assert.equal(await lab.replicas(), 2)
  assert.equal(
    await lab.condition('ScalingActive'),
    'False AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [{other default} {web default}]',
  )
})

test('the highest of several metrics counts; one that fails keeps replicas from going', async () => {
  const lab = await Lab.create(2)
  await using world = lab.world
  lab.usage = { 'web-0': '10m', 'web-1': '10m' }
  await lab.autoscale({ metrics: [cpu(50), external] })
  assert.match(await lab.condition('ScalingActive'), /^False FailedGetExternalMetric: /)
  assert.match(
    (await world.events())[0]!,
    /unable to fetch metrics from external metrics API: the server could/,
  )
  lab.queue = '20'
  await world.advance(15_000)
  assert.equal(await lab.replicas(), 4)
  const { namespace, resource, options } = lab.asked.findLast(({ group }) => group.startsWith('external'))!
  assert.deepEqual([namespace, resource, options?.labelSelector], ['default', 'queue', 'shard=one'])
  assert.deepEqual((await lab.status()).currentMetrics[1]?.external?.current, { averageValue: '10' })
})
