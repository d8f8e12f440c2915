// Services, pods and nodes for tests of endpoints.
import type { Node, Pod, PodSpec, Service, ServiceSpec } from '../../api/types/core-v1.ts'

export const node = (name: string, zone?: string): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...(zone && { labels: { 'topology.kubernetes.io/zone': zone } }) },
    spec: {},
    status: {},
  }) as Node

export const service = (spec: Partial<ServiceSpec> = {}, labels?: Record<string, string>): Service =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', uid: 'u', ...(labels && { labels }) },
    spec: {
      clusterIP: '10.96.0.20',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
      ...spec,
    },
    status: { loadBalancer: {} },
  }) as Service

export interface PodShape {
  name?: string
  ip?: string
  ready?: boolean
  deleting?: boolean
  phase?: string
  node?: string
  spec?: Partial<PodSpec>
}

export function pod(shape: PodShape = {}): Pod {
  const { name = 'a', ip = '10.244.0.2', ready = true, deleting, phase = 'Running', spec } = shape
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      labels: { app: 'web' },
      ...(deleting && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { containers: [{ name: 'c', image: 'i' }], nodeName: shape.node ?? 'n1', ...spec },
    status: {
      phase,
      ...(ip && { podIP: ip, podIPs: [{ ip }] }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  } as unknown as Pod
}

export const pods = (count: number, shape: PodShape = {}): Pod[] =>
  Array.from({ length: count }, (_, index) =>
    pod({ ...shape, name: `p${index}`, ip: `10.244.${Math.floor(index / 250)}.${2 + (index % 250)}` }),
  )
