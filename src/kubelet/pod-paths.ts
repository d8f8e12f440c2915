// Where a pod's things are on the node.
import { join } from 'node:path'
import type { Pod } from '../api/types/core-v1.ts'
import type { NodeFacts } from './node-facts.ts'

type Dirs = Pick<NodeFacts, 'rootDir' | 'logDir'>

/** A folder per pod. */
export const podsDir = ({ rootDir }: Pick<Dirs, 'rootDir'>): string => join(rootDir, 'pods')

export const podDir = (dirs: Pick<Dirs, 'rootDir'>, uid: string): string => join(podsDir(dirs), uid)

export const etcHostsPath = (dirs: Dirs, uid: string): string => join(podDir(dirs, uid), 'etc-hosts')

/** A plugin's volume: 'kubernetes.io~empty-dir'. */
export const volumePath = (
  dirs: Pick<Dirs, 'rootDir'>,
  uid: string,
  plugin: string,
  volume: string,
): string => join(podDir(dirs, uid), 'volumes', `kubernetes.io~${plugin}`, volume)

/** Where one run of a container leaves its last words. A file each, without a folder: names have no dots. */
export const terminationLogPath = (
  dirs: Dirs,
  uid: string,
  container: string,
  restartCount: number,
): string => join(podDir(dirs, uid), 'containers', `${container}.${restartCount}`)

/** Bind mounts of single files and directories within volumes. */
export const subPathDir = (dirs: Pick<Dirs, 'rootDir'>, uid: string): string =>
  join(podDir(dirs, uid), 'volume-subpaths')

/** 'NS_NAME_UID' under the log directory. */
export const podLogDir = ({ logDir }: Pick<Dirs, 'logDir'>, { metadata }: Pick<Pod, 'metadata'>): string =>
  join(logDir, `${metadata.namespace}_${metadata.name}_${metadata.uid}`)

/** Relative to the pod's log directory. */
export const containerLogPath = (container: string, restartCount: number): string =>
  `${container}/${restartCount}.log`
