// The part of containerd's configuration that a node of ours needs (docs/containerd.md); also what the tests run.

export interface ContainerdPlace {
  root: string
  state: string
  socket: string
  /** The image whose program keeps a pod's namespaces. */
  pauseImage: string
  /** Where CNI plugins are: Debian's containernetworking-plugins puts them in /usr/lib/cni. */
  cniPlugins: string
  /** Where the network's configuration is, or will be written. */
  cniConfig: string
  /** A template that containerd fills with the node's pod range, told by the kubelet. */
  cniTemplate?: string
}

const CRI = 'plugins."io.containerd.grpc.v1.cri"'

/** config.toml of containerd 1.6 and 1.7. */
export function containerdConfig(place: ContainerdPlace): string {
  const { root, state, socket, pauseImage, cniPlugins, cniConfig, cniTemplate } = place
  const lines = [
    'version = 2',
    `root = ${JSON.stringify(root)}`,
    `state = ${JSON.stringify(state)}`,
    '[grpc]',
    `address = ${JSON.stringify(socket)}`,
    `[${CRI}]`,
    `sandbox_image = ${JSON.stringify(pauseImage)}`,
    // Without it a machine whose root may not lower scores refuses every pod.
    'restrict_oom_score_adj = true',
    `[${CRI}.cni]`,
    `bin_dir = ${JSON.stringify(cniPlugins)}`,
    `conf_dir = ${JSON.stringify(cniConfig)}`,
    ...(cniTemplate ? [`conf_template = ${JSON.stringify(cniTemplate)}`] : []),
  ]
  return `${lines.join('\n')}\n`
}

/** A bridge over the node's pod range, as a template for containerd: {{.PodCIDR}} is filled in. */
export function bridgeTemplate(bridge: string, ipamDirectory: string): string {
  const plugin = {
    type: 'bridge',
    bridge,
    isGateway: true,
    ipMasq: true,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      dataDir: ipamDirectory,
      ranges: [[{ subnet: '{{.PodCIDR}}' }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  }
  const portmap = { type: 'portmap', capabilities: { portMappings: true } }
  return `${JSON.stringify({ cniVersion: '0.4.0', name: 'kubernode', plugins: [plugin, portmap] }, undefined, 2)}\n`
}
