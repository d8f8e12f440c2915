// Parts of a cluster that can be left out, because somebody brings their own or needs none.
// Without the kubelet there is no node: an API to try clients and controllers against.

export const OPTIONAL_PARTS = ['scheduler', 'controllers', 'proxy', 'dns', 'kubelet'] as const

export type OptionalPart = (typeof OPTIONAL_PARTS)[number]
