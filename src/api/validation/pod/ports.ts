// Upstream: validateContainerPorts, checkHostPortConflicts.
import { isPortName, isPortNumber } from '../../names.ts'
import type { Container, ContainerPort } from '../../types/core-v1.ts'
import { duplicate, each, type FieldError, invalidValue, notSupported, required } from '../field-error.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

export function validateContainerPorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const at = `${path}[${index}]`
    const errors: FieldError[] = []
    if (port.name) {
      const bad = each(at, port.name, isPortName).map(error => ({ ...error, field: `${at}.name` }))
      errors.push(...bad)
      if (bad.length === 0 && names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`))
    else errors.push(...numbered(`${at}.containerPort`, port.containerPort))
    if (port.hostPort) errors.push(...numbered(`${at}.hostPort`, port.hostPort))
    if (!port.protocol) errors.push(required(`${at}.protocol`))
    else if (!PROTOCOLS.includes(port.protocol))
      errors.push(notSupported(`${at}.protocol`, port.protocol, PROTOCOLS))
    return errors
  })
}

const numbered = (field: string, port: number) =>
  isPortNumber(port).map(detail => invalidValue(field, port, detail))

/** The same host port twice among these containers. */
export function validateHostPortClashes(containers: readonly Container[], path: string): FieldError[] {
  const seen = new Set<string>()
  return containers.flatMap(({ ports }, container) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }, index) => {
      if (!hostPort) return []
      const use = `${protocol}/${hostIP ?? ''}/${hostPort}`
      if (seen.has(use)) return [duplicate(`${path}[${container}].ports[${index}].hostPort`, use)]
      seen.add(use)
      return []
    }),
  )
}
