// Upstream: validateContainerPorts, checkHostPortConflicts, validatePodHostNetworkDeps, ValidatePortNumOrName.
import { isPortName, isPortNumber } from '../../names.ts'
import type { Container, ContainerPort } from '../../types/core-v1.ts'
import type { IntOrString } from '../../types/scalars.ts'
import { duplicate, each, type FieldError, invalidValue, oneOf, required } from '../field-error.ts'
import type { PodContext } from './pod-context.ts'

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

export function validateContainerPorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const at = `${path}[${index}]`
    const errors = port.name ? each(`${at}.name`, port.name, isPortName) : []
    if (port.name && errors.length === 0) {
      if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`))
    else errors.push(...validatePortNumber(port.containerPort, `${at}.containerPort`))
    if (port.hostPort) errors.push(...validatePortNumber(port.hostPort, `${at}.hostPort`))
    return [...errors, ...oneOf(`${at}.protocol`, port.protocol, PROTOCOLS)]
  })
}

export const validatePortNumber = (port: number, path: string): FieldError[] =>
  isPortNumber(port).map(detail => invalidValue(path, port, detail))

export function validatePort(port: IntOrString | undefined, path: string): FieldError[] {
  return typeof port === 'string' ? each(path, port, isPortName) : validatePortNumber(port ?? 0, path)
}

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

/** On the host's network a container's port is the host's. Templates may leave it to the Pod's defaults. */
export function validateHostNetworkPorts({ spec, isPod, path }: PodContext): FieldError[] {
  if (!spec.hostNetwork) return []
  return (spec.containers ?? []).flatMap(({ ports }, container) =>
    (ports ?? []).flatMap(({ hostPort = 0, containerPort }, index) => {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) return []
      const field = `${path}.containers[${container}].ports[${index}].hostPort`
      return [invalidValue(field, hostPort, 'must match `containerPort` when `hostNetwork` is true')]
    }),
  )
}
