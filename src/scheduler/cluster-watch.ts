// Keeps everything that the scheduler looks at beside nodes and Pods current, and tells what may help waiting Pods.
import type { Resource } from '../api/kube-object.ts'
import type { Labels } from '../api/labels.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  deviceClasses,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  replicaSets,
  replicationControllers,
  resourceClaims,
  resourceSlices,
  services,
  statefulSets,
  storageClasses,
  volumeAttachments,
} from '../api/resources.ts'
import type { ReplicaSet, StatefulSet } from '../api/types/apps-v1.ts'
import type {
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  Service,
} from '../api/types/core-v1.ts'
import type { ObjectMeta } from '../api/types/meta-v1.ts'
import type { PodDisruptionBudget } from '../api/types/policy-v1.ts'
import type { DeviceClass, ResourceClaim, ResourceSlice } from '../api/types/resource-v1.ts'
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '../api/types/storage-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { Informer, type InformerHandler } from '../client/informer.ts'
import type { ClusterEvent } from './cluster-event.ts'
import { AssumedClaims, type KnownDevices } from './devices/assumed-claims.ts'
import { type Budget, toBudgets } from './preemption/disruption-budgets.ts'
import type { ClusterObjects, Siblings } from './state/cluster-view.ts'
import { siblingSelector } from './state/sibling-selector.ts'
import { AssumedVolumes } from './volumes/assumed-volumes.ts'
import type { VolumeObjects } from './volumes/volume-objects.ts'

const CLASS = 'class'
const NODE = 'node'

export interface ClusterWatchOptions {
  client: Client
  clock: Clock
  log: Log
  onEvent: (event: ClusterEvent) => void
}

/** What every informer is, whatever it holds. */
interface Running {
  readonly synced: Promise<void>
  run(signal: AbortSignal): Promise<void>
}

export class ClusterWatch implements ClusterObjects {
  readonly #onEvent: (event: ClusterEvent) => void
  readonly #informers: Running[] = []
  readonly #namespaces: Informer<Namespace>
  readonly #services: Informer<Service>
  readonly #replicationControllers: Informer<ReplicationController>
  readonly #replicaSets: Informer<ReplicaSet>
  readonly #statefulSets: Informer<StatefulSet>
  readonly #budgets: Informer<PodDisruptionBudget>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #volumes: Informer<PersistentVolume>
  readonly #storageClasses: Informer<StorageClass>
  readonly #csiNodes: Informer<CSINode>
  readonly #csiDrivers: Informer<CSIDriver>
  readonly #capacities: Informer<CSIStorageCapacity>
  readonly #attachments: Informer<VolumeAttachment>
  readonly #resourceClaims: Informer<ResourceClaim>
  readonly #deviceClasses: Informer<DeviceClass>
  readonly #resourceSlices: Informer<ResourceSlice>
  #changed = Promise.withResolvers<void>()
  #claimChanged = Promise.withResolvers<void>()

  /** As the API has them. */
  readonly writtenVolumes: VolumeObjects
  readonly volumes: AssumedVolumes
  readonly devices: AssumedClaims

  constructor({ client, clock, log, onEvent }: ClusterWatchOptions) {
    const watch = <T extends { metadata: ObjectMeta }>(resource: Resource<T>): Informer<T> => {
      const informer = new Informer({ client, clock, log, resource })
      this.#informers.push(informer)
      return informer
    }
    this.#onEvent = onEvent
    this.#namespaces = watch(namespaces)
    this.#services = watch(services)
    this.#replicationControllers = watch(replicationControllers)
    this.#replicaSets = watch(replicaSets)
    this.#statefulSets = watch(statefulSets)
    this.#budgets = watch(podDisruptionBudgets)
    this.#claims = watch(persistentVolumeClaims)
    this.#volumes = watch(persistentVolumes)
    this.#storageClasses = watch(storageClasses)
    this.#csiNodes = watch(csiNodes)
    this.#csiDrivers = watch(csiDrivers)
    this.#capacities = watch(csiStorageCapacities)
    this.#attachments = watch(volumeAttachments)
    this.#capacities.addIndex(CLASS, ({ storageClassName }: CSIStorageCapacity) => [storageClassName])
    this.#attachments.addIndex(NODE, ({ spec }: VolumeAttachment) => [spec.nodeName])
    this.#resourceClaims = watch(resourceClaims)
    this.#deviceClasses = watch(deviceClasses)
    this.#resourceSlices = watch(resourceSlices)
    this.#volumes.addIndex(CLASS, ({ spec }: PersistentVolume) => [spec.storageClassName ?? ''])
    this.writtenVolumes = {
      claim: (namespace, name) => this.#claims.lister.find(name, namespace),
      volume: name => this.#volumes.lister.find(name),
      volumesOfClass: name => this.#volumes.lister.byIndex(CLASS, name),
      storageClass: name => this.#storageClasses.lister.find(name),
      csiNode: name => this.#csiNodes.lister.find(name),
      csiDriver: name => this.#csiDrivers.lister.find(name),
      capacitiesOfClass: name => this.#capacities.lister.byIndex(CLASS, name),
      attachmentsAt: name => this.#attachments.lister.byIndex(NODE, name),
    }
    this.volumes = new AssumedVolumes(this.writtenVolumes)
    this.devices = new AssumedClaims(this.#knownDevices(), clock)
    this.#listen()
  }

  async synced(): Promise<void> {
    await Promise.all(this.#informers.map(({ synced }) => synced))
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map(informer => informer.run(signal)))
  }

  readonly namespaceLabels = (name: string): Labels | undefined =>
    this.#namespaces.lister.find(name)?.metadata.labels

  siblingsOf(pod: Pod): Siblings | undefined {
    return siblingSelector(pod, {
      services: namespace => this.#services.lister.list(namespace),
      replicationController: (name, namespace) => this.#replicationControllers.lister.find(name, namespace),
      replicaSet: (name, namespace) => this.#replicaSets.lister.find(name, namespace),
      statefulSet: (name, namespace) => this.#statefulSets.lister.find(name, namespace),
    })
  }

  budgets(): Budget[] {
    return toBudgets(this.#budgets.lister.list())
  }

  /** Resolves at the next change of a claim or volume. */
  volumeChange(): Promise<void> {
    return this.#changed.promise
  }

  #knownDevices(): KnownDevices {
    return {
      claim: (namespace, name) => this.#resourceClaims.lister.find(name, namespace),
      claims: () => this.#resourceClaims.lister.list(),
      deviceClass: name => this.#deviceClasses.lister.find(name),
      deviceClasses: () => this.#deviceClasses.lister.list(),
      slices: () => this.#resourceSlices.lister.list(),
    }
  }

  /** Resolves at the next change of a ResourceClaim. */
  deviceClaimChange(): Promise<void> {
    return this.#claimChanged.promise
  }

  #listen(): void {
    const tell = (event: ClusterEvent) => {
      if (event.what === 'claimChanged' || event.what === 'volumesChanged') {
        this.#changed.resolve()
        this.#changed = Promise.withResolvers()
      }
      this.#onEvent(event)
    }
    this.#namespaces.addHandler(
      onChange(({ metadata: { name } }) => tell({ what: 'namespaceLabelsChanged', name })),
    )
    this.#claims.addHandler(
      onChange(({ metadata: { name, namespace = '' } }) => tell({ what: 'claimChanged', namespace, name })),
    )
    this.#volumes.addHandler(onChange(() => tell({ what: 'volumesChanged' })))
    this.#storageClasses.addHandler(onChange(() => tell({ what: 'volumesChanged' })))
    const roomChanged = onChange(() => tell({ what: 'storageRoomChanged' }))
    this.#csiDrivers.addHandler(roomChanged)
    this.#capacities.addHandler(roomChanged)
    this.#attachments.addHandler(roomChanged)
    this.#csiNodes.addHandler(onChange(({ metadata: { name } }) => tell({ what: 'csiNodeChanged', name })))
    this.#listenToDevices()
  }

  #listenToDevices(): void {
    const changed = (claim: ResourceClaim, old?: ResourceClaim, isGone = false) => {
      this.devices.saw(claim, isGone)
      this.#claimChanged.resolve()
      this.#claimChanged = Promise.withResolvers()
      this.#onEvent({ what: 'deviceClaimChanged', ...(old && { old }), claim, isGone })
    }
    this.#resourceClaims.addHandler({
      add: claim => changed(claim),
      update: (old, claim) => changed(claim, old),
      delete: claim => changed(claim, undefined, true),
    })
    // Less of them helps nobody.
    const more = () => this.#onEvent({ what: 'devicesChanged' })
    this.#deviceClasses.addHandler({ add: more, update: more })
    this.#resourceSlices.addHandler({ add: more, update: more })
  }
}

function onChange<T>(changed: (object: T) => void): InformerHandler<T> {
  return { add: changed, update: (_, object) => changed(object), delete: changed }
}
