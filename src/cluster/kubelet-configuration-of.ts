import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { PlainError } from '../base/plain-error.ts'
import {
  type KubeletConfiguration,
  parseKubeletConfiguration,
} from '../kubelet/configuration/kubelet-configuration.ts'

/** The kubelet's configuration from its file and from what the command line says. Throws PlainError. */
export function kubeletConfigurationOf({
  kubeletConfig,
  manifests,
}: {
  kubeletConfig?: string
  manifests?: string
}): KubeletConfiguration {
  const configuration = kubeletConfig ? read(kubeletConfig) : {}
  const path = manifests ?? configuration.staticPodPath
  if (path === undefined) return configuration
  if (manifests !== undefined && !existsSync(manifests))
    throw new PlainError(`There is no directory ${manifests} to take Pods from.`)
  return { ...configuration, staticPodPath: resolve(path) }
}

function read(file: string): KubeletConfiguration {
  try {
    return parseKubeletConfiguration(readFileSync(file, 'utf8'), file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
      throw new PlainError(`The kubelet's configuration ${file} cannot be read (${code}).`)
    throw error
  }
}
