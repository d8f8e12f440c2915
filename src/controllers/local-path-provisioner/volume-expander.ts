// Carries out what decide-expansion.ts says: the volume grows, then the claim waits for the node to notice.

import { Quantity } from '../../api/quantity.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../api/resources.ts'
import { isConflict } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { EventRecorder } from '../../client/events/event-recorder.ts'
import type { ControllerContext } from '../controller-context.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import { decideExpansion, growingStatus, pendingStatus } from './decide-expansion.ts'
import type { LocalDirectories } from './local-directories.ts'
import { LOCAL_PATH } from './local-volume.ts'

export class VolumeExpander {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  readonly #directories: LocalDirectories

  constructor(context: ControllerContext, recorder: EventRecorder, directories: LocalDirectories) {
    this.#context = context
    this.#recorder = recorder
    this.#directories = directories
  }

  /** One step; the informers bring the claim back for the next. */
  async expand(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const step = decideExpansion(claim, volume)
    try {
      if (step.do === 'grow') await this.#grow(claim, volume, step.size)
      else if (step.do === 'handToNode') await this.#handToNode(claim)
    } catch (error) {
      if (isConflict(error)) return
      const text = `resize volume "${volume.metadata.name}" by resizer "${LOCAL_PATH}" failed: ${messageOf(error)}`
      this.#recorder.event(claim, 'Warning', 'VolumeResizeFailed', text)
      throw error
    }
  }

  async #grow(claim: PersistentVolumeClaim, volume: PersistentVolume, size: string): Promise<void> {
    const { name } = volume.metadata
    if (claim.status.allocatedResources?.storage !== size) {
      this.#recorder.event(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${name}`)
      await this.#writeStatus(claim, growingStatus(claim, size, this.#now()))
    }
    const { local, volumeMode } = volume.spec
    if (volumeMode === 'Block' && local)
      await this.#directories.grow(local.path, Quantity.parse(size).value())
    const capacity = { ...volume.spec.capacity, storage: size }
    await this.#context.client.update(persistentVolumes, { ...volume, spec: { ...volume.spec, capacity } })
  }

  async #handToNode(claim: PersistentVolumeClaim): Promise<void> {
    await this.#writeStatus(claim, pendingStatus(claim, this.#now()))
    const text = 'Require file system resize of volume on node'
    this.#recorder.event(claim, 'Normal', 'FileSystemResizeRequired', text)
  }

  async #writeStatus(claim: PersistentVolumeClaim, status: PersistentVolumeClaim['status']): Promise<void> {
    await this.#context.client.update(persistentVolumeClaims, { ...claim, status }, { subresource: 'status' })
  }

  #now(): string {
    return formatTime(this.#context.clock.now())
  }
}
