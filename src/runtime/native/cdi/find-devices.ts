// Finds devices by name in the machine's CDI specs. They are read when a container asks for a device, each time anew:
// drivers write one just before.
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { parse } from 'yaml'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { type CdiSpec, type ContainerEdits, cdiSpecOf } from './cdi-spec.ts'

/** What is in a later one hides what is in those before. */
export const CDI_FOLDERS: readonly string[] = ['/etc/cdi', '/var/run/cdi']

interface Found {
  spec: CdiSpec
  edits: ContainerEdits
}

/**
 * What is to be done for these devices ('vendor.com/class=name'), in their order; for each spec, what it says of all its
 * devices comes before the first of them. Throws CriError, with containerd's words, when one is not there.
 */
export function editsFor(
  names: readonly string[],
  folders: readonly string[] = CDI_FOLDERS,
): ContainerEdits[] {
  const devices = allDevices(folders)
  const missing = names.filter(name => !devices.get(name))
  if (missing.length > 0) {
    const text = `CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`
    throw new CriError(CRI_CODE.unknown, text)
  }
  const begun = new Set<CdiSpec>()
  return names.flatMap(name => {
    const { spec, edits } = devices.get(name)!
    const isFirst = !begun.has(spec)
    begun.add(spec)
    return isFirst && spec.containerEdits ? [spec.containerEdits, edits] : [edits]
  })
}

/** By full name. Undefined for one that two specs of the same folder claim: nobody knows which is meant. */
function allDevices(folders: readonly string[]): Map<string, Found | undefined> {
  const all = new Map<string, Found | undefined>()
  for (const folder of folders) {
    const here = new Map<string, Found | undefined>()
    for (const spec of specsIn(folder)) {
      for (const { name, containerEdits: edits } of spec.devices) {
        const full = `${spec.kind}=${name}`
        here.set(full, here.has(full) ? undefined : { spec, edits })
      }
    }
    for (const [name, found] of here) all.set(name, found)
  }
  return all
}

function specsIn(folder: string): CdiSpec[] {
  return namesIn(folder).flatMap(name => {
    const isJson = extname(name) === '.json'
    if (!isJson && extname(name) !== '.yaml') return []
    try {
      const text = readFileSync(join(folder, name), 'utf8')
      return cdiSpecOf(isJson ? JSON.parse(text) : parse(text)) ?? []
    } catch {
      return []
    }
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
