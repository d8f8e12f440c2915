// Which container has which devices, and what it was told to do with them. Kept in a file, so that containers that are
// started after the kubelet have what they had. The file's form is upstream's (devicemanager/checkpoint), as monitors of
// devices read it; its checksum is left out: the file is replaced at once, never half written.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ContainerAllocation, devicePluginCodec } from './device-plugin-api.ts'

export interface GivenDevices {
  podUid: string
  container: string
  resource: string
  /** By the number of the NUMA node; '-1' for those without one. */
  byNode: Readonly<Record<string, readonly string[]>>
  allocation: ContainerAllocation
}

export interface DeviceRecords {
  given: GivenDevices[]
  /** Names of resources that plugins have registered, with their healthy devices. */
  registered: Record<string, string[]>
}

interface StoredEntry {
  PodUID: string
  ContainerName: string
  ResourceName: string
  DeviceIDs: Record<string, string[]>
  /** A ContainerAllocateResponse, in base64. */
  AllocResp: string
}

const MESSAGE = 'ContainerAllocateResponse'

export const idsOf = ({ byNode }: GivenDevices): string[] => [...new Set(Object.values(byNode).flat())]

/** Nothing, where there is no such file. Throws when it cannot be read. */
export function readDeviceRecords(file: string): DeviceRecords {
  const text = textOf(file)
  if (text === undefined) return { given: [], registered: {} }
  const { Data } = JSON.parse(text) as {
    Data: { PodDeviceEntries: StoredEntry[] | null; RegisteredDevices: Record<string, string[]> | null }
  }
  const given = (Data.PodDeviceEntries ?? []).map(entry => ({
    podUid: entry.PodUID,
    container: entry.ContainerName,
    resource: entry.ResourceName,
    byNode: entry.DeviceIDs,
    allocation: devicePluginCodec.decode(
      MESSAGE,
      Buffer.from(entry.AllocResp, 'base64'),
    ) as unknown as ContainerAllocation,
  }))
  return { given, registered: Data.RegisteredDevices ?? {} }
}

export function writeDeviceRecords(file: string, { given, registered }: DeviceRecords): void {
  const entries = given.map(
    ({ podUid, container, resource, byNode, allocation }): StoredEntry => ({
      PodUID: podUid,
      ContainerName: container,
      ResourceName: resource,
      DeviceIDs: byNode as Record<string, string[]>,
      AllocResp: Buffer.from(devicePluginCodec.encode(MESSAGE, allocation)).toString('base64'),
    }),
  )
  const data = { Data: { PodDeviceEntries: entries, RegisteredDevices: registered } }
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
  writeFileSync(`${file}.new`, JSON.stringify(data), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
