// What each kind of volume does. Set-up is repeated until it succeeds, and whenever its sources change.
import type { Pod, Volume } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import type { ObjectSource } from '../containers/object-source.ts'
import type { NodeFacts } from '../node-facts.ts'
import type { PodEvents } from '../pod-events.ts'
import type { BlockDevices } from './block-devices.ts'
import type { CsiVolumes } from './csi/csi-volumes.ts'
import type { Mounter } from './mounter.ts'
import type { PodTokens } from './pod-tokens.ts'

export interface VolumeContext {
  pod: Pod
  volume: Volume
  /** The pod's addresses; none before there is a sandbox. */
  podIPs: readonly string[]
  now: number
}

export interface VolumeParts {
  facts: NodeFacts
  source: ObjectSource
  client: Client
  tokens: PodTokens
  mounter: Mounter
  devices: BlockDevices
  csi: CsiVolumes
  events: Pick<PodEvents, 'tell' | 'tellAbout'>
}

export interface ReadyVolume {
  hostPath: string
  /** It is a device, for volumeDevices and not for volumeMounts. */
  isDevice?: boolean
  /** Mounts of it are read-only whatever the container says. */
  readOnly?: boolean
  /** Set it up again, or refresh it, then (epoch milliseconds): tokens run out. */
  refreshAt?: number
}

/** A mounted object: its change means another set-up. */
export interface VolumeReference {
  kind: 'ConfigMap' | 'Secret'
  name: string
}

export interface VolumePlugin {
  /** Name under volumes/: 'empty-dir' for kubernetes.io~empty-dir. */
  name: string
  /** Throws with the text that FailedMount shows. */
  setUp(context: VolumeContext, parts: VolumeParts): Promise<ReadyVolume>
  /** In place of another set-up at refreshAt. What it throws is tried again later and told to nobody. */
  refresh?(ready: ReadyVolume, context: VolumeContext, parts: VolumeParts): Promise<ReadyVolume>
  /** Whose changes are followed. */
  references?(volume: Volume): VolumeReference[]
  /** The content depends on the pod's own metadata. */
  followsPod?(volume: Volume): boolean
}
