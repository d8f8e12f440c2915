// Has drivers prepare the claims of pods before their containers are made, and unprepare them when the last pod that has
// a claim is over. Upstream: cm/dra/manager.go.
import { resourceClaims } from '../../api/resources.ts'
import type { Container, Pod, ResourceStatus } from '../../api/types/core-v1.ts'
import type { ResourceClaim } from '../../api/types/resource-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import type { DynamicResource } from '../pod-resources/pod-resources-api.ts'
import { type ClaimRecord, ClaimRecords } from './claim-records.ts'
import type { PreparedDevice } from './dra-api.ts'
import type { DraDriver } from './dra-driver.ts'
import type { DraDrivers } from './dra-drivers.ts'
import { checkClaim, claimsOf, driversOf, requestsOf } from './pod-claims.ts'

const TRY_AGAIN_MS = 60_000

export interface NodeClaimsParts {
  client: Client
  drivers: DraDrivers
  /** Where it is kept what is prepared. */
  file: string
  clock: Clock
  log: Log
}

interface WantedClaim {
  claim: ResourceClaim
  drivers: Map<string, DraDriver>
}

export class NodeClaims {
  readonly #parts: NodeClaimsParts
  readonly #records: ClaimRecords

  constructor(parts: NodeClaimsParts) {
    this.#parts = parts
    this.#records = new ClaimRecords(parts.file)
  }

  /** What an earlier run has prepared. */
  recover(): void {
    const { file, log } = this.#parts
    try {
      this.#records.recover()
    } catch (error) {
      log.error({ error, file }, 'it is not known any more which claims are prepared')
    }
  }

  /** Does nothing for what is prepared. Rejects with the text of the event; it may be tried again. */
  async prepare(pod: Pod): Promise<void> {
    try {
      await this.#prepare(pod)
    } catch (error) {
      throw new Error(`prepare dynamic resources: ${(error as Error).message}`)
    }
  }

  async #prepare(pod: Pod): Promise<void> {
    // All is looked at before anything is done: a pod that fails here needs no driver to be deleted.
    const wanted: WantedClaim[] = []
    for (const named of claimsOf(pod)) {
      const claim = await this.#fetch(pod, named.name)
      checkClaim(pod, named, claim)
      const drivers = driversOf(claim).map(name => [name, this.#parts.drivers.get(name)] as const)
      wanted.push({ claim, drivers: new Map(drivers) })
    }
    if (wanted.length === 0) return
    const records = wanted.map(one => ({ ...one, record: this.#recordFor(pod, one.claim) }))
    this.#write()
    const missing = records.filter(({ record }) => !record.isPrepared)
    for (const name of new Set(missing.flatMap(({ drivers }) => [...drivers.keys()]))) {
      const theirs = missing.filter(({ drivers }) => drivers.has(name))
      const driver = theirs[0]!.drivers.get(name)!
      const answered = await driver.prepare(theirs.map(({ record }) => asClaim(record)))
      for (const { record } of theirs) record.drivers[name] = answered[record.uid]!.devices
    }
    for (const { record } of missing) record.isPrepared = true
    this.#write()
  }

  async #fetch({ metadata }: Pod, name: string): Promise<ResourceClaim> {
    const { namespace = '' } = metadata
    return this.#parts.client.get(resourceClaims, { namespace, name }).catch(error => {
      throw new Error(`fetch ResourceClaim ${name}: ${(error as Error).message}`)
    })
  }

  /** With the pod among those that have the claim. */
  #recordFor(pod: Pod, claim: ResourceClaim): ClaimRecord {
    const { name, namespace = '', uid } = claim.metadata
    const known = this.#records.find(namespace, name)
    if (known && known.uid !== uid) {
      const why = `still exists (previous pod force-deleted?!)`
      throw new Error(`old ResourceClaim with same name ${name} and different UID ${known.uid} ${why}`)
    }
    const drivers = Object.fromEntries(driversOf(claim).map(driver => [driver, []]))
    const record = known ?? { uid, name, namespace, podUids: [], drivers, isPrepared: false }
    if (!known) this.#records.add(record)
    if (!record.podUids.includes(pod.metadata.uid)) record.podUids.push(pod.metadata.uid)
    return record
  }

  /** When nothing of the pod runs any more. Rejects when a driver cannot do it now. */
  async unprepare(podUid: string): Promise<void> {
    const records = this.#records.ofPod(podUid)
    if (records.length === 0) return
    const last = records.filter(({ podUids }) => podUids.length === 1)
    for (const record of records) {
      if (!last.includes(record)) record.podUids = record.podUids.filter(uid => uid !== podUid)
    }
    for (const name of new Set(last.flatMap(({ drivers }) => Object.keys(drivers)))) {
      const theirs = last.filter(({ drivers }) => name in drivers)
      await this.#parts.drivers.get(name).unprepare(theirs.map(asClaim))
    }
    for (const record of last) this.#records.remove(record)
    this.#write()
  }

  /** Of pods that are gone, tried until it succeeds. Upstream: reconcileLoop. */
  async unprepareAllBut(active: () => ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    const gone = () => this.#records.pods().filter(uid => !active().has(uid))
    for (let left = gone(); left.length > 0 && !signal.aborted; left = gone()) {
      let failures = 0
      for (const uid of left) {
        await this.unprepare(uid).catch(error => {
          failures++
          log.warn({ error, uid }, 'claims of a pod that is gone could not be unprepared; trying again')
        })
      }
      if (failures > 0) await clock.sleep(TRY_AGAIN_MS, signal).catch(() => {})
    }
  }

  /** Full names of CDI devices. Throws with the text that the pod shows. */
  cdiDevicesFor(pod: Pod, container: Container): string[] {
    return requestsOf(pod, container).flatMap(({ claim, request }) => {
      const record = this.#records.find(pod.metadata.namespace ?? '', claim)
      if (!record) {
        const where = `ResourceClaim ${claim} in namespace ${pod.metadata.namespace}`
        throw new Error(`internal error: unable to get claim info for ${where}`)
      }
      return devicesFor(record, request).flatMap(({ device }) => device.cdiDeviceIds)
    })
  }

  concerns(pod: Pod, container: Container): boolean {
    return (
      (container.resources?.claims ?? []).length > 0 || pod.status.extendedResourceClaimStatus !== undefined
    )
  }

  /** For monitors. */
  claimsOfContainer(pod: Pod, container: Container): DynamicResource[] {
    return this.#known(pod, container).map(({ record }) => ({
      claimName: record.name,
      claimNamespace: record.namespace,
      claimResources: devicesFor(record, '').map(({ driver, device }) => ({
        cdiDevices: device.cdiDeviceIds.map(name => ({ name })),
        driverName: driver,
        poolName: device.poolName,
        deviceName: device.deviceName,
      })),
    }))
  }

  /** How the container's devices are: nobody has told. Upstream: UpdateAllocatedResourcesStatus. */
  healthOf(pod: Pod, container: Container): ResourceStatus[] {
    const named = this.#known(pod, container).filter(({ podClaim }) => podClaim !== '')
    return named.flatMap(({ record, podClaim, request }) => {
      const ids = devicesFor(record, request.split('/')[0]!).map(
        ({ driver, device }) => device.cdiDeviceIds[0] ?? `${driver}/${device.poolName}/${device.deviceName}`,
      )
      const resources = [...new Set(ids)].map(resourceID => ({ resourceID, health: 'Unknown' }))
      const name = request ? `claim:${podClaim}/${request}` : `claim:${podClaim}`
      return resources.length > 0 ? [{ name, resources }] : []
    })
  }

  #known(pod: Pod, container: Container) {
    try {
      return requestsOf(pod, container).flatMap(({ claim, podClaim, request }) => {
        const record = this.#records.find(pod.metadata.namespace ?? '', claim)
        return record ? [{ record, podClaim, request }] : []
      })
    } catch {
      // A claim that is still to be made has no devices.
      return []
    }
  }

  #write(): void {
    try {
      this.#records.write()
    } catch (error) {
      throw new Error(`checkpoint ResourceClaim state: ${(error as Error).message}`)
    }
  }
}

const asClaim = ({ namespace, uid, name }: ClaimRecord) => ({ namespace, uid, name })

/** Those of one request, or ('') of all. */
const devicesFor = (
  { drivers }: ClaimRecord,
  request: string,
): { driver: string; device: PreparedDevice }[] =>
  Object.entries(drivers).flatMap(([driver, devices]) =>
    devices
      .filter(
        ({ requestNames }) => request === '' || requestNames.length === 0 || requestNames.includes(request),
      )
      .map(device => ({ driver, device })),
  )
