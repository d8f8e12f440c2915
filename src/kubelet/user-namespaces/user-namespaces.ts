// User namespaces of this node's pods: each pod that asks for one (hostUsers: false) has a range of ids of its own,
// written into its directory before anything runs with it, so that the next run takes it back. Upstream: UsernsManager.
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Log } from '../../base/log.ts'
import type { IDMapping, UserNamespace } from '../../runtime/cri/cri.generated.ts'
import { podDir, podsDir } from '../pod-paths.ts'
import { type IdRange, IdRanges, type IdRangesOptions } from './id-ranges.ts'

export interface UserNamespacesOptions extends IdRangesOptions {
  /** DIR/kubelet */
  rootDir: string
  /** Whether the runtime can. */
  isSupported: () => boolean
  log: Log
}

interface Mapping {
  hostId: number
  containerId: number
  length: number
}

/** The file in a pod's directory, in upstream's form. */
interface Recorded {
  uidMappings: Mapping[]
  gidMappings: Mapping[]
}

const FILE = 'userns'

export class UserNamespaces {
  readonly #options: UserNamespacesOptions
  readonly #ranges: IdRanges
  /** Of pods that have a range: whether it is safely on the disk by now. */
  readonly #recorded = new Set<string>()

  constructor(options: UserNamespacesOptions) {
    this.#options = options
    this.#ranges = new IdRanges(options)
  }

  /** Takes back what earlier runs gave; to be called once, first. */
  recover(): void {
    const { rootDir, log } = this.#options
    for (const uid of directoriesIn(podsDir({ rootDir }))) {
      try {
        const range = readRange(join(podDir({ rootDir }, uid), FILE))
        if (!range) continue
        this.#ranges.take(uid, range)
        this.#recorded.add(uid)
      } catch (error) {
        log.warn({ error, uid }, 'the user namespace of a pod cannot be taken back')
      }
    }
  }

  /** What the runtime is told. Throws, in upstream's words, when the pod cannot have what it asks for. */
  of(pod: Pod): UserNamespace {
    if (pod.spec.hostUsers !== false) return { mode: 'NODE', uids: [], gids: [] }
    // One that has been given is kept: its sandbox has been made with it.
    if (!this.#recorded.has(pod.metadata.uid) && !this.#options.isSupported())
      throw new Error("can't set `spec.hostUsers: false`, runtime does not support user namespaces")
    const mapping = this.#mappingOf(pod.metadata.uid)
    return { mode: 'POD', uids: [mapping], gids: [mapping] }
  }

  /** The pod's directory, and the record in it, are removed by others. */
  release(uid: string): void {
    this.#ranges.release(uid)
    this.#recorded.delete(uid)
  }

  #mappingOf(uid: string): Required<IDMapping> {
    const { first, length } = this.#ranges.allocate(uid)
    const mapping = { hostId: first, containerId: 0, length }
    if (this.#recorded.has(uid)) return mapping
    try {
      this.#record(uid, { uidMappings: [mapping], gidMappings: [mapping] })
    } catch (error) {
      this.release(uid)
      throw new Error(`create user namespace: ${(error as Error).message}`)
    }
    return mapping
  }

  /** On the disk before it is used: after a power cut another pod must not get the same ids. */
  #record(uid: string, mappings: Recorded): void {
    const file = join(podDir(this.#options, uid), FILE)
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 })
    writeFileSync(file, JSON.stringify(mappings), { mode: 0o600, flush: true })
    const folder = openSync(dirname(file), 'r')
    fsyncSync(folder)
    closeSync(folder)
    this.#recorded.add(uid)
  }
}

function directoriesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Undefined for a pod without. */
function readRange(file: string): IdRange | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  const { uidMappings, gidMappings } = JSON.parse(text) as Recorded
  const [uids, gids] = [uidMappings[0], gidMappings[0]]
  if (!uids || !gids || uidMappings.length !== 1 || gidMappings.length !== 1)
    throw new Error('invalid user namespace configuration: no more than one mapping allowed.')
  if (uids.hostId !== gids.hostId || uids.length !== gids.length)
    throw new Error('invalid user namespace configuration: GID and UID mapping should be identical')
  if (uids.containerId !== 0 || gids.containerId !== 0)
    throw new Error('invalid user namespace configuration: UID 0 must be mapped')
  return { first: uids.hostId, length: uids.length }
}
