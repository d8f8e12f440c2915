// Which claims are prepared on this node, for which pods, and what drivers said of them. Kept in a file: what was
// prepared is unprepared by whichever kubelet sees the pod's end. Upstream: cm/dra/claiminfo.go, cm/dra/state.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PreparedDevice } from './dra-api.ts'

export interface ClaimRecord {
  uid: string
  name: string
  namespace: string
  podUids: string[]
  /** By driver. */
  drivers: Record<string, PreparedDevice[]>
  /** By this run of the kubelet: a later one prepares it once more for a new sandbox, which drivers have to bear. */
  isPrepared: boolean
}

export class ClaimRecords {
  readonly #file: string
  #records: ClaimRecord[] = []

  constructor(file: string) {
    this.#file = file
  }

  /** Nothing, where there is no such file. Throws when it cannot be read. */
  recover(): void {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    const { claims } = JSON.parse(text) as { claims: Omit<ClaimRecord, 'isPrepared'>[] }
    this.#records = claims.map(claim => ({ ...claim, isPrepared: false }))
  }

  find(namespace: string, name: string): ClaimRecord | undefined {
    return this.#records.find(one => one.namespace === namespace && one.name === name)
  }

  ofPod(podUid: string): ClaimRecord[] {
    return this.#records.filter(({ podUids }) => podUids.includes(podUid))
  }

  /** The pods that have any. */
  pods(): string[] {
    return [...new Set(this.#records.flatMap(({ podUids }) => podUids))]
  }

  add(record: ClaimRecord): void {
    this.#records.push(record)
  }

  remove(record: ClaimRecord): void {
    this.#records = this.#records.filter(one => one !== record)
  }

  /** To be called after changes. Throws when the disk does not take it. */
  write(): void {
    const claims = this.#records.map(({ isPrepared: _, ...claim }) => claim)
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o755 })
    writeFileSync(`${this.#file}.new`, JSON.stringify({ claims }), { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
  }
}
