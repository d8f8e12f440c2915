// Starts what makes, binds and protects volumes; volumes of the default class are directories, and files of mode Block, under the data directory.
import { chmod, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storageClasses } from '../api/resources.ts'
import { isAlreadyExists } from '../api/status-error.ts'
import type { Client } from '../client/client.ts'
import { AttachDetachController } from '../controllers/attach-detach/attach-detach-controller.ts'
import { runEphemeralVolumes } from '../controllers/ephemeral-volume/ephemeral-volume-controller.ts'
import type { LocalDirectories } from '../controllers/local-path-provisioner/local-directories.ts'
import { LocalPathProvisioner } from '../controllers/local-path-provisioner/local-path-provisioner.ts'
import { localPathClass } from '../controllers/local-path-provisioner/local-volume.ts'
import { PersistentVolumeController } from '../controllers/persistent-volume/persistent-volume-controller.ts'
import { runTellExternalExpansion } from '../controllers/volume-expand/tell-external-expansion.ts'
import { runClaimProtection } from '../controllers/volume-protection/claim-protection-controller.ts'
import { runVolumeProtection } from '../controllers/volume-protection/volume-protection-controller.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export function startStorageControllers(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log } = parts
  const contextOf = (account: string) => ({ client: api.controllerClient(account), clock, log })
  const binder = new PersistentVolumeController(contextOf('persistent-volume-binder'))
  keepRunning(parts, signal => binder.run(signal))
  const attacher = new AttachDetachController(contextOf('attachdetach-controller'))
  keepRunning(parts, signal => attacher.run(signal))
  keepRunning(parts, signal => runClaimProtection(contextOf('pvc-protection-controller'), signal))
  keepRunning(parts, signal => runVolumeProtection(contextOf('pv-protection-controller'), signal))
  keepRunning(parts, signal => runTellExternalExpansion(contextOf('expand-controller'), signal))
  keepRunning(parts, signal => runEphemeralVolumes(contextOf('ephemeral-volume-controller'), signal))
}

/** The class `local-path` and what serves it. */
export function startLocalVolumes(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log, nodeName, paths } = parts
  const administrator = api.clientOf({ name: 'kubernetes-admin', groups: ['system:masters'] }, 'kubernode')
  keepRunning(parts, () => ensureStorageClass(administrator))
  const context = { client: api.controllerClient('persistent-volume-binder'), clock, log }
  const directories = directoriesUnder(paths.volumes)
  keepRunning(parts, signal => new LocalPathProvisioner(context, { directories, nodeName }).run(signal))
}

/** At each start, when it is missing. */
async function ensureStorageClass(client: Client): Promise<void> {
  try {
    await client.create(storageClasses, structuredClone(localPathClass))
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

const SECTOR_BYTES = 4096

/** Never smaller than it is. What nothing was written to takes no room on the disk. */
async function setSize(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    const size = Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES
    if ((await file.stat()).size < size) await file.truncate(size)
  } finally {
    await file.close()
  }
}

/** Every user may write there, as its Pod may run as anybody; only the machine's root gets to the folder above. */
function directoriesUnder(folder: string): LocalDirectories {
  return {
    async make(name) {
      await mkdir(folder, { recursive: true, mode: 0o711 })
      const path = join(folder, name.slice(0, 200))
      await mkdir(path, { recursive: true })
      await chmod(path, 0o777)
      return path
    },
    async makeFile(name, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o711 })
      const path = join(folder, name.slice(0, 200))
      await setSize(path, bytes)
      return path
    },
    grow: setSize,
    async remove(path) {
      // Never anything else than what was made here.
      if (dirname(path) !== folder) throw new Error(`${path} is not a directory of this provisioner`)
      await rm(path, { recursive: true, force: true })
    },
  }
}
