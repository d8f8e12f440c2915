import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import { builtinResources } from '../../api/resources.ts'
import { decodeObject } from '../../api/schema/decode-object.ts'
import { tableFor } from './table-for.ts'

const NOW = Date.UTC(2026, 0, 1, 12)

/** An object as the server stores it: decoded, with what Go always writes filled in. */
function object(group: string, version: string, kind: string, body: object): KubeObject {
  const apiVersion = group ? `${group}/${version}` : version
  const metadata = {
    ...(body as Partial<KubeObject>).metadata,
    name: 'x',
    creationTimestamp: '2026-01-01T11:55:00Z',
  }
  return decodeObject({ ...body, metadata }, apiVersion, kind).object
}

for (const info of builtinResources) {
  const { group, version, resource, kind, verbs } = info
  if (!verbs.includes('list')) continue
  test(`an empty ${kind} of ${group || 'core'}/${version} has a cell for every column`, () => {
    const table = tableFor({ group, version, resource })
    const cells = table.cells(object(group, version, kind, {}), NOW)
    assert.equal(cells.length, table.columns.length)
    for (const [index, cell] of cells.entries()) {
      assert.ok(
        cell !== undefined && !String(cell).includes('undefined'),
        `${table.columns[index]?.name}: ${cell}`,
      )
    }
  })
}

const template = {
  spec: {
    containers: [
      { name: 'c', image: 'i:1' },
      { name: 'd', image: 'j' },
    ],
  },
}
const selector = {
  matchLabels: { b: '2', a: '1' },
  matchExpressions: [{ key: 'c', operator: 'In', values: ['y', 'x'] }],
}

const rows: Record<
  string,
  { group?: string; version?: string; resource: string; kind: string; body: object; cells: unknown[] }
> = {
  'a deployment': {
    group: 'apps',
    resource: 'deployments',
    kind: 'Deployment',
    body: {
      spec: { replicas: 3, selector, template },
      status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    },
    cells: ['x', '2/3', '1', '2', '5m', 'c,d', 'i:1,j', 'a=1,b=2,c in (x,y)'],
  },
  'a node': {
    resource: 'nodes',
    kind: 'Node',
    body: {
      metadata: {
        labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' },
      },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: {
          kubeletVersion: 'v1.36.2',
          osImage: 'Debian',
          kernelVersion: '6.1',
          containerRuntimeVersion: 'k://1',
        },
      },
    },
    cells: [
      'x',
      'Ready,SchedulingDisabled',
      'control-plane,worker',
      '5m',
      'v1.36.2',
      '10.0.0.1',
      '<none>',
      'Debian',
      '6.1',
      'k://1',
    ],
  },
  'a service': {
    resource: 'services',
    kind: 'Service',
    body: {
      spec: {
        type: 'NodePort',
        clusterIP: '10.96.0.7',
        selector: { app: 'web' },
        ports: [
          { port: 80, nodePort: 30080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
      },
    },
    cells: ['x', 'NodePort', '10.96.0.7', '<none>', '80:30080/TCP,53/UDP', '5m', 'app=web'],
  },
  'a load balancer that waits': {
    resource: 'services',
    kind: 'Service',
    body: { spec: { type: 'LoadBalancer', ports: [] } },
    cells: ['x', 'LoadBalancer', '<none>', '<pending>', '<none>', '5m', '<none>'],
  },
  'an event': {
    resource: 'events',
    kind: 'Event',
    body: {
      involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{c}' },
      type: 'Normal',
      reason: 'Pulled',
      message: 'done\n',
      source: { component: 'kubelet', host: 'n' },
      firstTimestamp: '2026-01-01T11:00:00Z',
      lastTimestamp: '2026-01-01T11:59:00Z',
      count: 4,
    },
    cells: ['60s', 'Normal', 'Pulled', 'pod/p', 'spec.containers{c}', 'kubelet, n', 'done', '60m', 4, 'x'],
  },
  'an event of the new kind': {
    resource: 'events',
    kind: 'Event',
    body: {
      involvedObject: { kind: 'Pod', name: 'p' },
      eventTime: '2026-01-01T11:59:30.000000Z',
      reportingComponent: 'scheduler',
      reportingInstance: 'i',
    },
    cells: ['30s', '', '', 'pod/p', '', 'scheduler, i', '', '30s', 1, 'x'],
  },
  'a job': {
    group: 'batch',
    resource: 'jobs',
    kind: 'Job',
    body: {
      spec: { completions: 3, template },
      status: {
        startTime: '2026-01-01T11:50:00Z',
        completionTime: '2026-01-01T11:51:30Z',
        succeeded: 3,
        conditions: [{ type: 'Complete', status: 'True' }],
      },
    },
    cells: ['x', 'Complete', '3/3', '90s', '5m', 'c,d', 'i:1,j', '<none>'],
  },
  'endpoints beyond three': {
    resource: 'endpoints',
    kind: 'Endpoints',
    body: {
      subsets: [
        { addresses: ['1.1.1.1', '1.1.1.2', '::1', '1.1.1.4'].map(ip => ({ ip })), ports: [{ port: 80 }] },
      ],
    },
    cells: ['x', '1.1.1.1:80,1.1.1.2:80,[::1]:80 + 1 more...', '5m'],
  },
  'a claim in deletion': {
    resource: 'persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
    body: {
      metadata: { deletionTimestamp: '2026-01-01T11:55:00Z' },
      spec: { volumeName: 'v', storageClassName: 'fast', volumeMode: 'Filesystem' },
      status: {
        phase: 'Bound',
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
      },
    },
    cells: ['x', 'Terminating', 'v', '1Gi', 'RWO,RWX', 'fast', '<unset>', '5m', 'Filesystem'],
  },
  'a revision': {
    group: 'apps',
    resource: 'controllerrevisions',
    kind: 'ControllerRevision',
    body: {
      metadata: {
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true },
        ],
      },
      revision: 2,
    },
    cells: ['x', 'daemonset.apps/d', '2', '5m'],
  },
  'a claim for devices that somebody uses': {
    group: 'resource.k8s.io',
    resource: 'resourceclaims',
    kind: 'ResourceClaim',
    body: {
      spec: { devices: {} },
      status: { allocation: { devices: {} }, reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] },
    },
    cells: ['x', 'allocated,reserved', '5m'],
  },
  'a default storage class': {
    group: 'storage.k8s.io',
    resource: 'storageclasses',
    kind: 'StorageClass',
    body: {
      metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'p',
    },
    cells: ['x (default)', 'p', 'Delete', 'Immediate', false, '5m'],
  },
}

for (const [title, { group = '', version = 'v1', resource, kind, body, cells }] of Object.entries(rows)) {
  test(`${title} is printed as upstream prints it`, () => {
    const given = object(group, version, kind, body)
    assert.deepEqual(tableFor({ group, version, resource }).cells(given, NOW), cells)
  })
}
