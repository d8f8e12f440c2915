// The runtime's calls, counted and timed. Upstream: pkg/kubelet/kuberuntime/instrumented_services.go.
import type { PassiveClock } from '../../base/clock.ts'
import type { ImageService, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { KubeletInstruments } from './kubelet-instruments.ts'

type Service = RuntimeService & ImageService

/** Calls that are measured, by the names they have in the metrics. */
const OPERATIONS: Readonly<Partial<Record<keyof Service, string>>> = {
  version: 'version',
  status: 'status',
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandbox: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  updateContainerResources: 'update_container',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  portForward: 'port_forward',
  containerStats: 'container_stats',
  listContainerStats: 'list_container_stats',
  listPodSandboxStats: 'list_podsandbox_stats',
  reopenContainerLog: 'reopen_container_log',
  pullImage: 'pull_image',
  imageStatus: 'image_status',
  listImages: 'list_images',
  removeImage: 'remove_image',
  imageFsInfo: 'image_fs_info',
}

type Call = (...args: unknown[]) => Promise<unknown>

/** The same service; what is not among the operations passes through untouched. */
export function measuredRuntime(
  service: Service,
  instruments: KubeletInstruments,
  clock: PassiveClock,
): Service {
  const wrapped = new Map<keyof Service, Call>()
  for (const [name, operation] of Object.entries(OPERATIONS) as [keyof Service, string][]) {
    wrapped.set(name, async (...args) => {
      const startedAt = clock.now()
      const done = (failed: boolean) =>
        instruments.operated(operation, (clock.now() - startedAt) / 1_000, failed)
      try {
        const answer = await (service[name] as Call).apply(service, args)
        done(false)
        return answer
      } catch (error) {
        done(true)
        throw error
      }
    })
  }
  return new Proxy(service, {
    get: (target, name) => wrapped.get(name as keyof Service) ?? bound(target, name),
  })
}

function bound(target: Service, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name)
  return typeof value === 'function' ? value.bind(target) : value
}
