// Labels and annotations by which sandboxes and containers are found again after a restart; names are upstream's.

export const LABEL = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const

export const ANNOTATION = {
  hash: 'io.kubernetes.container.hash',
  /** Ours: created ahead of its turn. */
  prepared: 'kubernode.io/prepared',
  /** Ours: ids of the images that it has as volumes, so that they are not collected. */
  volumeImages: 'kubernode.io/volume-images',
  /** Ours: the memory that it requested when it was made, '' for none. No limit of the kernel's shows it. */
  memoryRequest: 'kubernode.io/memory-request',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  preStopHandler: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  podTerminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
  podDeletionGracePeriod: 'io.kubernetes.pod.deletionGracePeriod',
} as const
