// What every answer about a deprecated resource warns of. Upstream: the prerelease-lifecycle markers of its types,
// endpoints/deprecation WarningMessage.

/** 'group/version/resource' → text. */
const warnings: Record<string, string> = {
  '/v1/componentstatuses': 'v1 ComponentStatus is deprecated in v1.19+',
  '/v1/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

export function deprecationOf(info: { group: string; version: string; resource: string }): string[] {
  const text = warnings[`${info.group}/${info.version}/${info.resource}`]
  return text === undefined ? [] : [text]
}
