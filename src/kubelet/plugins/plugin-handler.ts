// What becomes of the plugins of one type.

export const PLUGIN_TYPE = { csi: 'CSIPlugin', dra: 'DRAPlugin', device: 'DevicePlugin' } as const

export interface PluginInfo {
  /** 'CSIPlugin' */
  type: string
  name: string
  /** The socket that the plugin serves, as this process reaches it. */
  endpoint: string
  supportedVersions: readonly string[]
  /** How the plugin calls a path below the kubelet's folder (see kubelet-folder.ts). */
  seenByPlugin: (path: string) => string
}

export interface PluginHandler {
  /** Throws, with the text that the plugin is told, when the plugin cannot be used. */
  validate(info: PluginInfo): void
  /** A rejection is told to the plugin, and its registration is tried again later. */
  register(info: PluginInfo): Promise<void>
  /** Its socket is gone, or another one took its place. */
  deregister(name: string, endpoint: string): void
}
