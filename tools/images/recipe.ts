// What an image is made of.

/** The image configuration's `config` object, as the OCI image specification has it. */
export interface ContainerConfig {
  Env: string[]
  Cmd?: string[]
  Entrypoint?: string[]
  WorkingDir?: string
  User?: string
  ExposedPorts?: Record<string, object>
  Volumes?: Record<string, object>
  StopSignal?: string
  Labels?: Record<string, string>
}

export interface ImageRecipe {
  name: string
  /** Only test suites use it. */
  testsOnly?: boolean
  /** Names under which it is loaded, familiar form. */
  names: string[]
  packages: string[]
  /** Turns the unpacked packages into the container's root. */
  adapt(root: string): void
  config: ContainerConfig
}

export const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What a shell, its utilities and a dynamically linked program need. */
export const DEBIAN_BASE = ['busybox-static', 'base-files', 'netbase', 'libc6', 'libgcc-s1']
