// The runtime, with every change made through it noted: what a pod looks like is then not read from events that were
// on their way before the change.
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { ANNOTATION, LABEL } from './cri-labels.ts'
import type { Outcome, RuntimeRecords } from './runtime-records.ts'

export function followedRuntime(runtime: RuntimeService, records: RuntimeRecords): RuntimeService {
  const followed: Partial<RuntimeService> = {
    runPodSandbox: async (request, signal) => {
      const uid = request.config?.metadata.uid ?? ''
      const answer = await runtime.runPodSandbox(request, signal).catch(error => {
        records.distrust(uid)
        throw error
      })
      records.belongs(answer.podSandboxId, uid)
      records.expect(answer.podSandboxId, 'stands')
      return answer
    },
    stopPodSandbox: (request, signal) => {
      const uid = records.podOf(request.podSandboxId) ?? ''
      return distrusting(records, uid, () => runtime.stopPodSandbox(request, signal))
    },
    removePodSandbox: (request, signal) => {
      const uid = records.podOf(request.podSandboxId) ?? ''
      return distrusting(records, uid, () => runtime.removePodSandbox(request, signal))
    },
    createContainer: async (request, signal) => {
      const uid = request.config?.labels?.[LABEL.podUid] ?? ''
      const answer = await runtime.createContainer(request, signal).catch(error => {
        // Its sandbox may have gone without anybody having told.
        records.distrust(uid)
        throw error
      })
      records.belongs(answer.containerId, uid)
      if (!request.config?.annotations?.[ANNOTATION.prepared]) records.expect(answer.containerId, 'exists')
      return answer
    },
    startContainer: (request, signal) =>
      expecting(records, request.containerId, 'started', () => runtime.startContainer(request, signal)),
    stopContainer: (request, signal) =>
      expecting(records, request.containerId, 'ended', () => runtime.stopContainer(request, signal)),
    removeContainer: (request, signal) =>
      expecting(records, request.containerId, 'gone', () => runtime.removeContainer(request, signal)),
  }
  return new Proxy(runtime, {
    get(target, name) {
      const own = followed[name as keyof RuntimeService]
      if (own) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** For changes that no container event tells of. */
async function distrusting<T>(records: RuntimeRecords, uid: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } finally {
    records.distrust(uid)
  }
}

/** A call that failed may have done its work all the same. */
async function expecting<T>(
  records: RuntimeRecords,
  id: string,
  outcome: Outcome,
  call: () => Promise<T>,
): Promise<T> {
  try {
    const answer = await call()
    records.expect(id, outcome)
    return answer
  } catch (error) {
    records.distrust(records.podOf(id) ?? '')
    throw error
  }
}
