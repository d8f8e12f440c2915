// A process that does nothing, where a sandbox needs one: to be the first of a process namespace that the pod's
// containers share. It runs under the OCI runtime as a container does: its own read-only root, no rights, a filter.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { MappedFiles } from '../containers/mapped-files.ts'
import { ociMappings } from '../containers/oci-spec.ts'
import { defaultSeccomp } from '../containers/seccomp.ts'
import { compiledFilter, FILTER_ANNOTATION } from '../containers/seccomp-filter.ts'
import type { RuntimeChoice } from '../probe.ts'
import type { StateDir } from '../state-dir.ts'
import { pauseProgram } from './pause-program.ts'
import type { UserIds } from './user-namespace.ts'

const run = promisify(execFile)
/** Upstream's pause image runs as this one. */
const NOBODY = 65535
/** The node keeps it alive longer than what it serves. */
const OOM_SCORE = -998

export interface PauseRequest {
  /** The sandbox's. */
  id: string
  dir: StateDir
  choice: RuntimeChoice
  cgroupsPath: string
  /** Of an OCI spec. */
  namespaces: object[]
  /** With a user namespace among them. */
  ids?: UserIds
}

/** Answers its process. */
export async function startPause({
  id,
  dir,
  choice,
  cgroupsPath,
  namespaces,
  ids,
}: PauseRequest): Promise<number> {
  const bundle = dir.pod(id, 'pause')
  const pidFile = join(bundle, 'pid')
  const rootfs = ids ? reachableRoot(id, dir, ids) : pauseRoot(dir)
  mkdirSync(bundle, { mode: 0o700 })
  const isCrun = choice.kind === 'crun'
  const spec = pauseSpec({ rootfs, cgroupsPath, namespaces, isCrun, ...(ids && { ids }) })
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec), { mode: 0o600 })
  const where = [`--root=${dir.ociRoot}`, 'run', '--detach', '--bundle', bundle, '--pid-file', pidFile]
  await runDetached(choice.path, [...where, id], join(bundle, 'errors'))
  return Number(readFileSync(pidFile, 'utf8'))
}

/** What stays behind keeps its output open: a pipe of ours would never end, so errors go to a file. */
async function runDetached(command: string, args: string[], errorFile: string): Promise<void> {
  const errors = openSync(errorFile, 'w', 0o600)
  try {
    const [code] = await once(spawn(command, args, { stdio: ['ignore', errors, errors] }), 'exit')
    if (code === 0) return
  } finally {
    closeSync(errors)
  }
  const words = readFileSync(errorFile, 'utf8').trim()
  throw new CriError(CRI_CODE.unknown, `failed to create the first process of the sandbox: ${words}`)
}

/** Ends it, if there is one. */
export async function removePause(id: string, dir: StateDir, choice: RuntimeChoice): Promise<void> {
  if (!existsSync(join(dir.ociRoot, id))) return
  await run(choice.path, [`--root=${dir.ociRoot}`, 'delete', '--force', id])
}

/** Its root, one for all: the program and the folders that mounts need. */
function pauseRoot(dir: StateDir): string {
  const root = join(dir.root, 'pause')
  const program = join(root, 'pause')
  if (existsSync(program)) return root
  for (const folder of ['proc', 'dev']) mkdirSync(join(root, folder), { recursive: true, mode: 0o755 })
  writeFileSync(program, pauseProgram(), { mode: 0o555 })
  return root
}

/** In a user namespace it cannot walk to where our files are. */
function reachableRoot(id: string, dir: StateDir, ids: UserIds): string {
  return new MappedFiles(dir.mapped(id), { ids, userNamespace: dir.pod(id, 'user') }).mapped(pauseRoot(dir))
}

interface PauseSpec {
  rootfs: string
  cgroupsPath: string
  namespaces: object[]
  isCrun: boolean
  ids?: UserIds
}

function pauseSpec({ rootfs, cgroupsPath, namespaces, isCrun, ids }: PauseSpec): object {
  const seccomp = defaultSeccomp([])
  const filter = isCrun ? compiledFilter(seccomp) : undefined
  const ownScore = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  const hidden = ['nosuid', 'noexec', 'nodev']
  return {
    ociVersion: '1.0.2',
    process: {
      args: ['/pause'],
      cwd: '/',
      user: { uid: NOBODY, gid: NOBODY },
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      noNewPrivileges: true,
      // Without the right to lower it, no lower than our own.
      oomScoreAdj: Math.max(OOM_SCORE, ownScore),
    },
    root: { path: rootfs, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: hidden },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
    ],
    ...(filter && { annotations: { [FILTER_ANNOTATION]: filter } }),
    linux: {
      namespaces: [{ type: 'mount' }, ...namespaces],
      ...(ids && ociMappings(ids)),
      cgroupsPath,
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      seccomp,
    },
  }
}
