// A test's world that is closed again whatever happens, and what its mounts would have been.
import type { ContainerStatus, Pod } from '../../api/types/core-v1.ts'
import type { Mounter } from '../volumes/mounter.ts'
import { KubeletWorld } from './kubelet-world.fixture.ts'

export const status = (pod: Pod, name: string): ContainerStatus | undefined =>
  [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].find(
    one => one.name === name,
  )

/** Remembers mounts instead of making them. */
export function recordingMounter() {
  const made: string[] = []
  const mounter: Mounter = {
    tmpfs: (target, options) => made.push(`tmpfs ${target} ${options}`),
    hugetlbfs: (target, options) => made.push(`hugetlbfs ${target} ${options}`),
    bind: (_source, target) => made.push(`bind ${target}`),
    device: (source, target, type) => made.push(`device ${source} ${target} ${type}`),
    unmount: () => {},
  }
  return { made, mounter }
}

export async function inWorld(work: (world: KubeletWorld, made: string[]) => Promise<void>): Promise<void> {
  const { made, mounter } = recordingMounter()
  const world = await KubeletWorld.create({ mounter })
  try {
    await work(world, made)
  } finally {
    await world.close()
  }
}
