// Plugins and their manifests know the kubelet's folder by upstream's name; here each cluster has a folder of its own.
// docs/decisions/0017 says what is done about it.
import { join } from 'node:path'

/** --root-dir of upstream's kubelet, when nobody says otherwise. */
export const USUAL_FOLDER = '/var/lib/kubelet'

/** A path as manifests and plugins name it, as this machine has it. `rootDir` is DIR/kubelet. */
export const onThisMachine = (path: string, rootDir: string): string => moved(path, USUAL_FOLDER, rootDir)

/**
 * A path below `rootDir`, as somebody calls it who calls another one `sample`: those who say /var/lib/kubelet mean this
 * cluster's folder; others see it where it is.
 */
export const asNamedLike = (sample: string, path: string, rootDir: string): string =>
  isBelow(sample, USUAL_FOLDER) ? moved(path, rootDir, USUAL_FOLDER) : path

const moved = (path: string, from: string, to: string): string =>
  isBelow(path, from) ? join(to, path.slice(from.length)) : path

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

/** Below the kubelet's folder, as upstream names them. */
export const pluginsRegistry = (rootDir: string): string => join(rootDir, 'plugins_registry')
export const pluginsDir = (rootDir: string): string => join(rootDir, 'plugins')
export const devicePluginsDir = (rootDir: string): string => join(rootDir, 'device-plugins')
export const podResourcesDir = (rootDir: string): string => join(rootDir, 'pod-resources')
