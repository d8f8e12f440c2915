// What the parts of CSI volumes share.
import { volumeAttachments } from '../../../api/resources.ts'
import { isNotFound } from '../../../api/status-error.ts'
import type { Node, Pod } from '../../../api/types/core-v1.ts'
import type { CSIDriver, VolumeAttachment } from '../../../api/types/storage-v1.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { Client } from '../../../client/client.ts'
import type { NodeFacts } from '../../node-facts.ts'
import type { PodEvents } from '../../pod-events.ts'
import type { Mounter } from '../mounter.ts'
import type { PodTokens } from '../pod-tokens.ts'
import type { Texts } from './csi-api.ts'
import type { CsiDrivers } from './csi-drivers.ts'
import type { CsiVolume } from './csi-volume.ts'

export interface CsiParts {
  facts: NodeFacts
  client: Client
  tokens: PodTokens
  mounter: Mounter
  events: Pick<PodEvents, 'tell'>
  clock: Clock
  log: Log
  drivers: CsiDrivers
  /** Writes the node's status when something of it has changed, and answers the node as it is then. */
  reportNode: () => Promise<Node | undefined>
}

/** One volume for one Pod. */
export interface CsiJob {
  volume: CsiVolume
  pod: Pod
  /** The driver's object; not every driver has one. */
  driver: CSIDriver | undefined
  /** What the attacher left for the node. */
  publishContext: Texts
  now: number
  /** It is published already, and is to be renewed. */
  isAgain?: boolean
}

/** Undefined when there is none. */
export async function findAttachment(client: Client, name: string): Promise<VolumeAttachment | undefined> {
  try {
    return await client.get(volumeAttachments, { name })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
