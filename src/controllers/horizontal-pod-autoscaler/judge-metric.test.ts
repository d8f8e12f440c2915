import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiRequest } from '../../api/request.ts'
import { notFound, StatusError } from '../../api/status-error.ts'
import type { MetricSpec } from '../../api/types/autoscaling-v2.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { Client } from '../../client/client.ts'
import { MutableCatalog } from '../../client/resource-catalog.ts'
import { judgeMetric, MetricFailure } from './judge-metric.ts'
import { MetricsClient } from './metrics-client.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const AT = '2026-01-01T01:00:00Z'
const readiness = { cpuInitializationMs: 0, initialReadinessDelayMs: 0 }
const tolerances = { scaleUp: 0.1, scaleDown: 0.1 }

const pod = (name: string): Pod =>
  ({
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [
        { name: 'app', resources: { requests: { cpu: '100m' } } },
        { name: 'log', resources: { requests: { cpu: '20m' } } },
      ],
      initContainers: [
        { name: 'mesh', restartPolicy: 'Always', resources: { requests: { cpu: '80m' } } },
        { name: 'once', resources: {} },
      ],
    },
    status: {
      phase: 'Running',
      startTime: '2026-01-01T00:00:00Z',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:10Z' }],
    },
  }) as unknown as Pod

const usage = (name: string, app: string, rest: string) => ({
  metadata: { name, namespace: 'default' },
  timestamp: AT,
  window: '15s',
  containers: [
    { name: 'app', usage: { cpu: app } },
    { name: 'log', usage: { cpu: rest } },
    { name: 'mesh', usage: { cpu: rest } },
  ],
})
const value = (name: string, amount: string) => ({ describedObject: { name }, timestamp: AT, value: amount })
const UNSERVED = new StatusError({
  code: 404,
  reason: 'NotFound',
  message: 'the server could not find the requested resource',
})

/** Paths as 'group/version/namespace/resource/name/subresource', and what is answered. */
const SERVED: Record<string, object[] | StatusError> = {
  'metrics.k8s.io/v1beta1/default/pods': [usage('a', '150m', '25m'), usage('b', '250m', '25m')],
  'custom.metrics.k8s.io/v1beta1/default/pods/*/jobs': [value('a', '20'), value('b', '40')],
  'custom.metrics.k8s.io/v1beta1/default/deployments.apps/web/hits': [value('web', '6k')],
  'custom.metrics.k8s.io/v1beta1/default/metrics/load': [value('default', '4')],
  'custom.metrics.k8s.io/v1beta2/default/pods/*/lost': notFound(
    { group: 'custom.metrics.k8s.io', resource: 'pods' },
    'lost',
  ),
  'external.metrics.k8s.io/v1beta1/default/queue': [{ value: '30' }, { value: '10500m' }],
}

const metrics = new MetricsClient({
  client: new Client(async request => answer(request), { name: 'tester', groups: [] }),
  catalog: new MutableCatalog(),
})

function answer({ group, version, namespace, resource, name, subresource }: ApiRequest) {
  const path = [group, version, namespace, resource, name, subresource].filter(Boolean).join('/')
  const items = SERVED[path] ?? UNSERVED
  if (items instanceof StatusError) throw items
  return { kind: 'object' as const, code: 200, object: { items } as unknown as KubeObject }
}

const judge = (spec: MetricSpec) =>
  judgeMetric(spec, {
    metrics,
    namespace: 'default',
    selector: 'app=web',
    pods: [pod('a'), pod('b')],
    specReplicas: 2,
    statusReplicas: 2,
    tolerances,
    readiness,
    now: NOW,
  })

const utilization = (averageUtilization: number) => ({ type: 'Utilization', averageUtilization })
const average = (averageValue: string) => ({ type: 'AverageValue', averageValue })
const total = (amount: string) => ({ type: 'Value', value: amount })
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

const cases: Record<string, [MetricSpec, replicas: number, metric: string, current: object]> = {
  'percentage of what all containers ask for': [
    { type: 'Resource', resource: { name: 'cpu', target: utilization(50) } },
    5,
    'cpu resource utilization (percentage of request)',
    { averageUtilization: 125, averageValue: '250m' },
  ],
  'amount of a resource': [
    { type: 'Resource', resource: { name: 'cpu', target: average('125m') } },
    4,
    'cpu resource',
    { averageValue: '250m' },
  ],
  'percentage of what one container asks for': [
    {
      type: 'ContainerResource',
      containerResource: { name: 'cpu', container: 'app', target: utilization(100) },
    },
    4,
    'cpu container resource utilization (percentage of request)',
    { averageUtilization: 200, averageValue: '200m' },
  ],
  'metric of pods': [
    { type: 'Pods', pods: { metric: { name: 'jobs' }, target: average('10') } },
    6,
    'pods metric jobs',
    { averageValue: '30' },
  ],
  'metric of an object': [
    {
      type: 'Object',
      object: { metric: { name: 'hits' }, describedObject: deployment, target: total('2k') },
    },
    6,
    'Deployment metric hits',
    { value: '6k' },
  ],
  'share of a metric of an object': [
    {
      type: 'Object',
      object: { metric: { name: 'hits' }, describedObject: deployment, target: average('2k') },
    },
    3,
    'external metric hits(nil)',
    { averageValue: '3k' },
  ],
  'metric of the namespace': [
    {
      type: 'Object',
      object: {
        metric: { name: 'load' },
        describedObject: { apiVersion: 'v1', kind: 'Namespace', name: 'other' },
        target: total('2'),
      },
    },
    4,
    'Namespace metric load',
    { value: '4' },
  ],
  'external metric': [
    { type: 'External', external: { metric: { name: 'queue' }, target: total('20250m') } },
    4,
    'external metric queue(nil)',
    { value: '40500m' },
  ],
}

for (const [title, [spec, ...expected]] of Object.entries(cases)) {
  test(`an autoscaler follows: ${title}`, async () => {
    const { replicas, metric, status } = await judge(spec)
    const { type, ...sources } = status
    const [source] = Object.values(sources) as { current: object }[]
    assert.equal(type, spec.type)
    assert.deepEqual([replicas, metric, source?.current], expected)
  })
}

const failures: Record<string, [MetricSpec, reason: string, what: string]> = {
  'a container that is not there': [
    {
      type: 'ContainerResource',
      containerResource: { name: 'cpu', container: 'none', target: utilization(50) },
    },
    'FailedGetContainerResourceMetric',
    'failed to get cpu utilization: unable to get metrics for resource cpu: failed to get container metrics: container none not present in metrics for pod default/a',
  ],
  'a resource that nobody asks for': [
    { type: 'Resource', resource: { name: 'memory', target: utilization(50) } },
    'FailedGetResourceMetric',
    'failed to get memory utilization: missing request for memory in container app of Pod a',
  ],
  'a figure that is not there': [
    { type: 'Resource', resource: { name: 'memory', target: average('1Mi') } },
    'FailedGetResourceMetric',
    'failed to get memory usage: did not receive metrics for any ready pods',
  ],
  'a metric that its server does not know': [
    { type: 'Pods', pods: { metric: { name: 'lost' }, target: average('10') } },
    'FailedGetPodsMetric',
    'unable to get metric lost: unable to fetch metrics from custom metrics API: pods.custom.metrics.k8s.io "lost" not found',
  ],
  'a metric that nobody serves': [
    { type: 'Object', object: { metric: { name: 'x' }, describedObject: deployment, target: total('1') } },
    'FailedGetObjectMetric',
    'unable to get metric x: Deployment on default web/unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
  ],
  'a source that is not known': [
    { type: 'Moon' },
    'InvalidMetricSourceType',
    'unknown metric source type "Moon"',
  ],
}

for (const [title, [spec, reason, what]] of Object.entries(failures)) {
  test(`an autoscaler tells: ${title}`, async () => {
    await assert.rejects(judge(spec), (error: unknown) => {
      assert.ok(error instanceof MetricFailure)
      assert.deepEqual([error.reason, error.what], [reason, what])
      return true
    })
  })
}
