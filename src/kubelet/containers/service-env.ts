// Environment variables that tell of services. Upstream: kubelet/envvars/envvars.go.
import type { Service } from '../../api/types/core-v1.ts'

/** Of the pod's own namespace when enableServiceLinks is not false, and of default/kubernetes always. */
export function serviceEnv(
  services: readonly Service[],
  namespace: string,
  links: boolean,
): Map<string, string> {
  const env = new Map<string, string>()
  for (const service of services) {
    const { name, namespace: own } = service.metadata
    const isMaster = own === 'default' && name === 'kubernetes'
    const wanted = isMaster || (links && own === namespace)
    const ip = service.spec.clusterIP
    if (!wanted || !ip || ip === 'None' || service.spec.type === 'ExternalName') continue
    for (const [key, value] of variablesOf(service, ip)) env.set(key, value)
  }
  return env
}

function variablesOf(service: Service, ip: string): [string, string][] {
  const prefix = asVariable(service.metadata.name)
  const ports = service.spec.ports ?? []
  const first = ports[0]
  if (!first) return [[`${prefix}_SERVICE_HOST`, ip]]
  const host = ip.includes(':') ? `[${ip}]` : ip
  const url = ({ protocol = 'TCP', port }: (typeof ports)[number]) =>
    `${protocol.toLowerCase()}://${host}:${port}`
  return [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...ports
      .filter(({ name }) => name)
      .map(({ name, port }): [string, string] => [
        `${prefix}_SERVICE_PORT_${asVariable(name!)}`,
        String(port),
      ]),
    [`${prefix}_PORT`, url(first)],
    ...ports.flatMap((each): [string, string][] => {
      const { protocol = 'TCP', port } = each
      const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
      return [
        [link, url(each)],
        [`${link}_PROTO`, protocol.toLowerCase()],
        [`${link}_PORT`, String(port)],
        [`${link}_ADDR`, ip],
      ]
    }),
  ]
}

const asVariable = (name: string) => name.toUpperCase().replaceAll('-', '_')
