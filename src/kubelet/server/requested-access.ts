// What a request to the kubelet's port asks for, in the words of RBAC. Upstream: pkg/kubelet/server/auth.go.

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Any of the subresources will do. */
export interface RequestedAccess {
  verb: string
  subresources: string[]
}

export function requestedAccess(method: string, path: string): RequestedAccess {
  return { verb: VERBS[method] ?? '', subresources: subresourcesOf(path) }
}

function subresourcesOf(path: string): string[] {
  const isUnder = (root: string) => path === root || path.startsWith(`${root}/`)
  if (isUnder('/stats')) return ['stats']
  if (isUnder('/metrics')) return ['metrics']
  if (isUnder('/logs')) return ['log']
  if (isUnder('/checkpoint')) return ['checkpoint']
  if (isUnder('/pods') || isUnder('/runningpods')) return ['pods', 'proxy']
  if (isUnder('/healthz')) return ['healthz', 'proxy']
  if (isUnder('/configz')) return ['configz', 'proxy']
  return ['proxy']
}
