// Containers from creation to removal: bundle, overlay root, conmon, exit. State is a file per container, so that a
// new runtime finds everything again; the truth about the end is conmon's exit file.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import { nextTurn } from '../../../base/next-turn.ts'
import type { ContainerEventType, ContainerState, LinuxContainerResources } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError, criNotFound } from '../../cri/cri-error.ts'
import { killCgroup } from '../cgroup/kill-cgroup.ts'
import { appendState, readStates, writeState } from '../state-dir.ts'
import { isAlive } from '../syscall/is-alive.ts'
import { createThroughConmon, startByFifo } from './conmon.ts'
import { type BundleParts, dismantle, mountRoot } from './container-bundle.ts'
import type { ContainerRecord, NewContainer } from './container-record.ts'
import { MappedFiles } from './mapped-files.ts'
import { mountTargets } from './mount-targets.ts'
import { OciFailure } from './oci-failure.ts'
import { signalNumber } from './signal-number.ts'

export interface ContainerStoreOptions extends BundleParts {
  isRunc: boolean
  clock: Clock
  /** The container's cgroup; undefined when its sandbox is gone. */
  cgroupOf(container: ContainerRecord): string | undefined
  onEvent(type: ContainerEventType, container: ContainerRecord): void
}

const SIGKILL_EXIT = 137
const START_ERROR_EXIT = 128

export class ContainerStore {
  readonly #options: ContainerStoreOptions
  readonly #records = new Map<string, ContainerRecord>()
  /** Told to run, and not known to. */
  readonly #starting = new Set<string>()
  readonly #exits = new Map<string, PromiseWithResolvers<void>>()

  constructor(options: ContainerStoreOptions) {
    this.#options = options
  }

  /** Finds what an earlier runtime left; call after the exit directory is watched. */
  async recover(): Promise<void> {
    const { dir } = this.#options
    const { states, broken } = readStates<ContainerRecord>(dir.containers)
    for (const record of states) {
      this.#records.set(record.id, record)
      if (record.state === 'CONTAINER_EXITED' || record.cannotStart) continue
      if (existsSync(join(dir.exits, record.id))) this.ended(record.id)
      else if (!existsSync(dir.bundle(record.id)) || !isAlive(record.pid)) this.#lost(record)
      else if (!existsSync(join(dir.ociRoot, record.id, 'exec.fifo'))) {
        record.state = 'CONTAINER_RUNNING'
        record.startedAt ||= record.createdAt
      }
    }
    await Promise.all(broken.map(id => dismantle(id, this.#options)))
  }

  get(id: string): ContainerRecord {
    const record = this.#records.get(id)
    if (!record) throw criNotFound('container', id)
    return record
  }

  /** As get, but also throws when it does not run. */
  getRunning(id: string): ContainerRecord {
    const record = this.get(id)
    if (record.state === 'CONTAINER_RUNNING') return record
    throw new CriError(CRI_CODE.failedPrecondition, `container ${id} is not running`)
  }

  find(id: string): ContainerRecord | undefined {
    return this.#records.get(id)
  }

  list(): ContainerRecord[] {
    return [...this.#records.values()]
  }

  async create(wanted: NewContainer): Promise<ContainerRecord> {
    const { dir, clock, runtime } = this.#options
    const id = randomBytes(32).toString('hex')
    const [folder, bundle] = [dir.container(id), dir.bundle(id)]
    for (const made of [folder, bundle]) mkdirSync(made, { mode: 0o700 })
    try {
      const mapped = wanted.mapping && new MappedFiles(dir.mapped(id), wanted.mapping)
      const rootfs = mapped?.mountRoot(folder, wanted.lowerDirs) ?? dir.bundle(id, 'rootfs')
      const spec = wanted.spec(id, bundle, rootfs, mapped)
      if (!mapped) await mountRoot(id, dir, wanted.lowerDirs, mountTargets(spec.mounts))
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec), { mode: 0o600 })
      mkdirSync(dirname(wanted.logPath), { recursive: true, mode: 0o755 })
      const { stdin = false, stdinOnce = false, tty = false, metadata } = wanted.config
      const request = {
        id,
        name: metadata.name,
        bundle,
        logPath: wanted.logPath,
        program: spec.process.args[0] ?? '',
        runtime,
        stdin,
        stdinOnce,
        tty,
      }
      const made = await createThroughConmon(dir, request).then(pid => ({ pid }), withoutProcess)
      const { lowerDirs: _, spec: __, mapping: ___, ...kept } = wanted
      const record: ContainerRecord = {
        ...kept,
        id,
        ...made,
        createdAt: clock.now() * 1e6,
        startedAt: 0,
        finishedAt: 0,
        state: 'CONTAINER_CREATED',
        exitCode: 0,
        reason: '',
        message: '',
      }
      this.#records.set(id, record)
      this.#save(record)
      this.#options.onEvent('CONTAINER_CREATED_EVENT', record)
      return record
    } catch (error) {
      await dismantle(id, this.#options)
      throw error
    }
  }

  async start(id: string): Promise<void> {
    const record = this.get(id)
    if (record.state !== 'CONTAINER_CREATED') {
      throw new CriError(
        CRI_CODE.failedPrecondition,
        `container ${id} is not in created state: ${record.state}`,
      )
    }
    if (record.cannotStart) throw this.#failedToStart(record, record.cannotStart)
    const { dir, isRunc } = this.#options
    this.#starting.add(id)
    try {
      await startByFifo(dir.ociRoot, id, isRunc)
      this.#started(record)
    } finally {
      this.#starting.delete(id)
    }
  }

  /** It counts as one that has ended, as containerd has it: without a time at which it started. */
  #failedToStart(record: ContainerRecord, message: string): CriError {
    record.exitCode = START_ERROR_EXIT
    record.finishedAt = this.#options.clock.now() * 1e6
    record.message = message
    this.#finish(record, 'StartError')
    return new CriError(CRI_CODE.unknown, message)
  }

  /** The end may be seen before the start has returned: it is told after the start all the same. */
  #started(record: ContainerRecord): void {
    if (!this.#starting.delete(record.id)) return
    record.startedAt = this.#options.clock.now() * 1e6
    record.state = 'CONTAINER_RUNNING'
    this.#options.onEvent('CONTAINER_STARTED_EVENT', record)
    void this.#saveSoon(record)
  }

  /** conmon wrote an exit file. */
  ended(id: string): void {
    const record = this.#records.get(id)
    if (!record || record.state === 'CONTAINER_EXITED' || record.cannotStart) return
    this.#started(record)
    const file = join(this.#options.dir.exits, id)
    record.exitCode = Number(readFileSync(file, 'utf8'))
    record.finishedAt = statSync(file).mtimeMs * 1e6
    if (record.startedAt === 0) record.startedAt = record.finishedAt
    // What the first process left behind would go on in the pod's or the node's process namespace.
    this.#killRest(record)
    const outOfMemory = record.exitCode === SIGKILL_EXIT && existsSync(this.#options.dir.bundle(id, 'oom'))
    this.#finish(record, outOfMemory ? 'OOMKilled' : record.exitCode === 0 ? 'Completed' : 'Error')
  }

  /** Nobody knows how it ended: its monitor was killed too. */
  #lost(record: ContainerRecord): void {
    record.exitCode = 255
    record.finishedAt = this.#options.clock.now() * 1e6
    if (record.startedAt === 0) record.startedAt = record.finishedAt
    this.#finish(record, 'Unknown')
  }

  #finish(record: ContainerRecord, reason: string): void {
    record.state = 'CONTAINER_EXITED'
    record.reason = reason
    this.#exits.get(record.id)?.resolve()
    this.#exits.delete(record.id)
    // Told first: the next container waits for it.
    this.#options.onEvent('CONTAINER_STOPPED_EVENT', record)
    void this.#saveSoon(record)
  }

  /** Keeps what a container was given after its creation; what is not named stays as it was. */
  rememberResources(id: string, changed: LinuxContainerResources): void {
    const record = this.get(id)
    const { linux } = record.config
    const given = Object.entries(changed).filter(([, value]) => value !== 0 && value !== '')
    const resources = { ...linux?.resources, ...Object.fromEntries(given) }
    record.config = { ...record.config, linux: { ...linux, resources } }
    this.#save(record)
  }

  /** Asks the container to end, and ends it when `timeoutSeconds` have passed. Fine when it has ended already. */
  async stop(id: string, timeoutSeconds: number): Promise<void> {
    const record = this.#records.get(id)
    if (!record || record.state === 'CONTAINER_EXITED' || record.cannotStart) return
    const exited = this.#exit(id)
    if (timeoutSeconds > 0) {
      signal(record.pid, record.stopSignal)
      const timer = new AbortController()
      const timeUp = this.#options.clock.sleep(timeoutSeconds * 1_000, timer.signal).catch(() => {})
      await Promise.race([exited, timeUp])
      timer.abort()
    }
    if ((record.state as ContainerState) === 'CONTAINER_EXITED') return
    this.#killAll(record)
    await exited
  }

  #exit(id: string): Promise<void> {
    const waiting = this.#exits.get(id) ?? Promise.withResolvers<void>()
    this.#exits.set(id, waiting)
    return waiting.promise
  }

  /** The first process's end takes a process namespace of its own along; otherwise every process is killed. */
  #killAll(record: ContainerRecord): void {
    signal(record.pid, 'SIGKILL')
    this.#killRest(record)
  }

  #killRest(record: ContainerRecord): void {
    const cgroup = hasOwnProcesses(record) ? undefined : this.#options.cgroupOf(record)
    if (cgroup) killCgroup(cgroup)
  }

  /** Fine when it is gone already. */
  async remove(id: string): Promise<void> {
    const record = this.#records.get(id)
    if (!record) return
    await this.stop(id, 0)
    if (!this.#records.delete(id)) return
    await dismantle(id, this.#options, this.#options.cgroupOf(record))
    this.#options.onEvent('CONTAINER_DELETED_EVENT', record)
  }

  /** After what was told of it has gone out. A runtime that is killed before finds the fifo gone, or the exit file. */
  async #saveSoon(record: ContainerRecord): Promise<void> {
    await nextTurn()
    if (this.#records.get(record.id) !== record) return
    try {
      const { state, startedAt, finishedAt, exitCode, reason, message } = record
      appendState(this.#fileOf(record), { state, startedAt, finishedAt, exitCode, reason, message })
    } catch (error) {
      this.#options.log.warn(
        { err: error, container: record.id },
        'the state of a container could not be written',
      )
    }
  }

  #save(record: ContainerRecord): void {
    writeState(this.#fileOf(record), record)
  }

  #fileOf({ id }: ContainerRecord): string {
    return this.#options.dir.container(id, 'state.json')
  }
}

const hasOwnProcesses = ({ config }: ContainerRecord) =>
  config.linux?.securityContext?.namespaceOptions?.pid === 'CONTAINER'

/** A container that the OCI runtime refuses is there all the same: starting it tells why it cannot run. */
function withoutProcess(error: unknown): { pid: number; cannotStart: string } {
  if (!(error instanceof OciFailure)) throw error
  return { pid: 0, cannotStart: error.message }
}

function signal(pid: number, name: string): void {
  try {
    process.kill(pid, signalNumber(name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
