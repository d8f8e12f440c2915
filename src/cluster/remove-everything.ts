// Takes away all that a cluster made on the machine outside its data directory. Safe to repeat, and after a crash.
import { rmSync } from 'node:fs'
import { removeVolumeMounts } from '../kubelet/volumes/remove-mounts.ts'
import { removeRuntimeTraces } from '../runtime/native/runtime-process.ts'
import { detachLoops } from '../runtime/native/syscall/loop-device.ts'
import { removeDnsLink } from './cluster-dns.ts'
import { type ClusterPaths, runtimePlace } from './paths.ts'
import { removeServiceProxy } from './service-proxy.ts'

export async function removeEverything(name: string, paths: ClusterPaths): Promise<void> {
  await removeRuntimeTraces(runtimePlace(name, paths))
  await removeServiceProxy(name)
  removeVolumeMounts(paths.kubelet)
  detachLoops(name)
  removeDnsLink(name)
  rmSync(paths.runDir, { recursive: true, force: true })
}
