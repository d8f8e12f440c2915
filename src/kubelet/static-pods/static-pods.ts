// Runs the Pods of the manifests on this node, and keeps a mirror of each in the API, so that people see them there.
// The manifest rules: a mirror that is deleted comes back, a pod whose manifest is gone goes.
// Upstream: pkg/kubelet/config/file.go, pkg/kubelet/pod/mirror_client.go, kubelet.go SyncPod (mirror pods).
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { pods } from '../../api/resources.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../api/status-error.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { apiTime } from '../api-time.ts'
import { type Manifest, readManifests } from './read-manifests.ts'
import { fullName, isMirror, isMirrorOf, mirrorOf } from './static-pod.ts'

/** Editors write a file in several steps. */
const SETTLE_MS = 100
const RETRY_MS = 1_000
const RETRY_MAX_MS = 60_000

export interface StaticPodsParts {
  client: Client
  clock: Clock
  log: Log
  nodeName: string
  /** A directory or a file; undefined: this node has no pods of its own. */
  path: string | undefined
  node: () => Node | undefined
  /** Runs the pod; resolves when nothing is left of it, which is after `stop`. */
  run: (pod: Pod) => Promise<void>
  stop: (uid: string) => void
  /** Statuses of the static pod go to this object from now on; undefined: there is none. */
  address: (uid: string, mirror: Pod | undefined) => void
}

interface Entry {
  pod: Pod
  file: string
}

export class StaticPods {
  readonly #parts: StaticPodsParts
  /** By full name: what runs now. */
  readonly #entries = new Map<string, Entry>()
  /** By full name: what the API shows. */
  readonly #mirrors = new Map<string, Pod>()
  /** Mirrors that are being made or removed. */
  readonly #busy = new Set<string>()
  #wanted = new Map<string, { pod: Pod; file: string }>()
  #signal = new AbortController().signal

  constructor(parts: StaticPodsParts) {
    this.#parts = parts
  }

  /** The static pod that the mirror of this uid stands for. */
  behind(mirrorUid: string): string | undefined {
    for (const [name, mirror] of this.#mirrors) {
      if (mirror.metadata.uid === mirrorUid) return this.#entries.get(name)?.pod.metadata.uid
    }
    return undefined
  }

  /** Starts what the manifests say now. Resolves when all of it has been started. */
  async load(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    await this.#read()
  }

  /** Follows the manifests until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { path, clock } = this.#parts
    let changed = Promise.withResolvers<void>()
    const ring = () => changed.resolve()
    signal.addEventListener('abort', ring, { once: true })
    while (!signal.aborted && path) {
      const watchers = watchAll([path, dirname(path)], ring)
      await changed.promise
      changed = Promise.withResolvers<void>()
      await clock.sleep(SETTLE_MS, signal).catch(() => {})
      if (!signal.aborted) await this.#read()
      for (const watcher of watchers) watcher.close()
    }
  }

  /** A mirror pod, new or changed, as the API shows it. */
  mirrorSeen(mirror: Pod): void {
    this.#mirrors.set(fullName(mirror), mirror)
    this.#settleMirror(fullName(mirror))
  }

  mirrorGone(mirror: Pod): void {
    const name = fullName(mirror)
    if (this.#mirrors.get(name)?.metadata.uid === mirror.metadata.uid) this.#mirrors.delete(name)
    this.#settleMirror(name)
  }

  async #read(): Promise<void> {
    const { path, nodeName, clock } = this.#parts
    const manifests = path ? await readManifests(path, nodeName, apiTime(clock.now())) : []
    this.#wanted = this.#chosen(manifests)
    for (const [name, { pod }] of this.#entries) {
      if (this.#wanted.get(name)?.pod.metadata.uid !== pod.metadata.uid) this.#parts.stop(pod.metadata.uid)
    }
    for (const name of this.#wanted.keys()) this.#start(name)
  }

  /** A file that cannot be read as a Pod changes nothing: it may be half written. Of two pods of a name the first counts. */
  #chosen(manifests: readonly Manifest[]) {
    const wanted = new Map<string, { pod: Pod; file: string }>()
    for (const { file, pod, problem } of manifests) {
      const before = [...this.#wanted.values()].find(one => one.file === file)?.pod
      if (problem) this.#parts.log.warn({ file, problem }, 'a manifest cannot be used')
      const chosen = pod ?? before
      if (chosen && !wanted.has(fullName(chosen))) wanted.set(fullName(chosen), { pod: chosen, file })
    }
    return wanted
  }

  /** A pod of the same name that is still ending goes first. */
  #start(name: string): void {
    const wanted = this.#wanted.get(name)
    if (!wanted || this.#entries.has(name) || this.#signal.aborted) return
    void this.#parts.run(wanted.pod).then(() => {
      this.#entries.delete(name)
      this.#parts.address(wanted.pod.metadata.uid, undefined)
      if (this.#signal.aborted) return
      this.#start(name)
      this.#settleMirror(name)
    })
    this.#entries.set(name, wanted)
    this.#settleMirror(name)
  }

  // Mirrors

  /** Sees to it that the pod has its mirror, and that there is none without a pod. */
  #settleMirror(name: string): void {
    const entry = this.#entries.get(name)
    const mirror = this.#mirrors.get(name)
    const fits = entry && mirror && !mirror.metadata.deletionTimestamp && isMirrorOf(mirror, entry.pod)
    if (entry) this.#parts.address(entry.pod.metadata.uid, fits ? mirror : undefined)
    if (fits || (!entry && !mirror) || this.#busy.has(name)) return
    this.#busy.add(name)
    void this.#untilDone(() => (mirror ? this.#remove(mirror) : this.#create(entry!.pod))).then(() => {
      this.#busy.delete(name)
      // What was done shows in the API's own time; what has changed meanwhile is looked at now.
      if (this.#mirrors.get(name) !== mirror || this.#entries.get(name) !== entry) this.#settleMirror(name)
    })
  }

  async #create(pod: Pod): Promise<void> {
    const { client, nodeName, node } = this.#parts
    try {
      const made = await client.create(pods, mirrorOf(pod, nodeName, node()?.metadata.uid))
      if (!this.#mirrors.has(fullName(pod))) this.#mirrors.set(fullName(pod), made)
    } catch (error) {
      // Its mirror of before, or a pod that has the name: what the API shows of it decides.
      if (!isAlreadyExists(error)) throw error
      const { name, namespace } = pod.metadata
      const found = await client.get(pods, { name, namespace: namespace! })
      if (!isMirror(found)) throw error
      this.#mirrors.set(fullName(pod), found)
    }
  }

  async #remove({ metadata: { name, namespace, uid } }: Pod): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid } }
    try {
      await this.#parts.client.delete(pods, { name, namespace: namespace! }, options)
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
    if (this.#mirrors.get(`${namespace}/${name}`)?.metadata.uid === uid)
      this.#mirrors.delete(`${namespace}/${name}`)
  }

  async #untilDone(work: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts
    for (let delay = RETRY_MS; !this.#signal.aborted; delay = Math.min(delay * 2, RETRY_MAX_MS)) {
      try {
        return await work()
      } catch (error) {
        if (this.#signal.aborted) return
        log.warn({ error }, 'a mirror pod could not be written; trying again')
        await clock.sleep(delay, this.#signal).catch(() => {})
      }
    }
  }
}

/** The parent is watched too, for a path that comes to be later. */
function watchAll(paths: readonly string[], changed: () => void): FSWatcher[] {
  return paths.filter(existsSync).map(path => {
    const watcher = watch(path, { persistent: false }, changed)
    watcher.on('error', changed)
    return watcher
  })
}
