// Answers which container has which devices. CPUs and memory are nobody's own here, as with upstream's policy «none».
// Upstream: kubelet/apis/podresources server_v1.go.
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { GrpcError } from '../../base/grpc/grpc-error.ts'
import { type GrpcServer, serveGrpc } from '../../base/grpc/serve-grpc.ts'
import { type GivenDevices, idsOf } from '../devices/given-devices.ts'
import type { NodeDevices } from '../devices/node-devices.ts'
import {
  type ContainerDevices,
  type DynamicResource,
  type PodResources,
  podResourcesService,
} from './pod-resources-api.ts'

export interface PodResourcesParts {
  pods: () => readonly Pod[]
  devices: NodeDevices
  claimsOf: (pod: Pod, container: Container) => DynamicResource[]
}

export function servePodResources(folder: string, parts: PodResourcesParts): Promise<GrpcServer> {
  const { pods, devices } = parts
  const handlers = {
    List: async () => {
      devices.dropInactive()
      return { podResources: pods().map(pod => resourcesOf(pod, parts)) }
    },
    Get: async ({ podName, podNamespace }: { podName: string; podNamespace: string }) => {
      const pod = pods().find(
        ({ metadata: { name, namespace } }) => name === podName && namespace === podNamespace,
      )
      if (!pod) throw new GrpcError(status.UNKNOWN, `pod ${podName} in namespace ${podNamespace} not found`)
      return { podResources: resourcesOf(pod, parts) }
    },
    GetAllocatableResources: async () => ({ devices: allocatable(devices) }),
  }
  return serveGrpc(join(folder, 'kubelet.sock'), [{ service: podResourcesService, handlers }])
}

function resourcesOf(pod: Pod, { devices, claimsOf }: PodResourcesParts): PodResources {
  const { name, namespace = '', uid } = pod.metadata
  const containers = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]
  return {
    name,
    namespace,
    containers: containers.map(container => ({
      name: container.name,
      devices: devices.givenTo(uid, container.name).flatMap(entriesOf),
      dynamicResources: claimsOf(pod, container),
    })),
  }
}

/** One for each device. */
function entriesOf(given: GivenDevices): ContainerDevices[] {
  return idsOf(given).map(id => {
    const nodes = Object.entries(given.byNode).filter(([node, ids]) => Number(node) >= 0 && ids.includes(id))
    return entry(
      given.resource,
      id,
      nodes.map(([node]) => ({ id: Number(node) })),
    )
  })
}

const allocatable = (devices: NodeDevices): ContainerDevices[] =>
  [...devices.allocatableDevices()].flatMap(([resource, list]) =>
    list.map(({ id, topology }) => entry(resource, id, topology?.nodes ?? [])),
  )

const entry = (resourceName: string, id: string, nodes: { id: number }[]): ContainerDevices => ({
  resourceName,
  deviceIds: [id],
  ...(nodes.length > 0 && { topology: { nodes } }),
})
