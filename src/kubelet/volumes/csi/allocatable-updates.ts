// Keeps what a driver can attach to the node current, for drivers that say how often they want to be asked.
// Upstream: MutableCSINodeAllocatableCount, csi_plugin.go updateCSIDriver.
import { csiDrivers } from '../../../api/resources.ts'
import type { CSIDriver } from '../../../api/types/storage-v1.ts'
import { aborted } from '../../../base/aborted.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { Client } from '../../../client/client.ts'
import { Informer } from '../../../client/informer.ts'

export interface AllocatableParts {
  client: Client
  clock: Clock
  log: Log
}

/** Calls `update` as often as the driver's object says, and not at all while it says nothing; until the signal aborts. */
export async function followAllocatable(
  driver: string,
  update: () => Promise<void>,
  { client, clock, log }: AllocatableParts,
  signal: AbortSignal,
): Promise<void> {
  const fieldSelector = `metadata.name=${driver}`
  const informer = new Informer<CSIDriver>({ client, clock, log, resource: csiDrivers, fieldSelector })
  let changed = new AbortController()
  const again = () => {
    changed.abort()
    changed = new AbortController()
  }
  informer.addHandler({
    add: again,
    update: (old, next) => {
      if (periodOf(old) !== periodOf(next)) again()
    },
    delete: again,
  })
  const running = informer.run(signal)
  while (!signal.aborted) {
    const seconds = periodOf(informer.lister.find(driver))
    const either = AbortSignal.any([signal, changed.signal])
    if (seconds === undefined) {
      await aborted(either)
      continue
    }
    await clock.sleep(seconds * 1_000, either).catch(() => {})
    if (either.aborted) continue
    await update().catch(error => log.warn({ driver, error }, 'a CSI driver does not say what it can attach'))
  }
  await running
}

const periodOf = (driver: CSIDriver | undefined) => driver?.spec.nodeAllocatableUpdatePeriodSeconds
