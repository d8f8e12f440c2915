// The ports of a Service. Upstream: validateServicePort, and the checks for duplicates in ValidateService.
import { isDns1123Label, isQualifiedName } from '../../names.ts'
import type { ServicePort, ServiceSpec } from '../../types/core-v1.ts'
import { duplicate, each, type FieldError, oneOf, required } from '../field-error.ts'
import { PROTOCOLS, validatePort, validatePortNumber } from '../pod/ports.ts'

export function validateServicePorts({ ports = [] }: ServiceSpec): FieldError[] {
  const names = new Set<string>()
  const errors = ports.flatMap((port, index) => portErrors(port, `spec.ports[${index}]`, ports.length, names))
  return [...errors, ...nodePortsTwice(ports), ...portsTwice(ports)]
}

function portErrors(port: ServicePort, path: string, count: number, names: Set<string>): FieldError[] {
  const { name, protocol, appProtocol } = port
  const errors: FieldError[] = []
  if (!name && count > 1) errors.push(required(`${path}.name`))
  if (name) {
    errors.push(...each(`${path}.name`, name, isDns1123Label))
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
  }
  errors.push(...validatePortNumber(port.port ?? 0, `${path}.port`))
  errors.push(...oneOf(`${path}.protocol`, protocol, PROTOCOLS))
  errors.push(...validatePort(port.targetPort, `${path}.targetPort`))
  if (appProtocol !== undefined) errors.push(...each(`${path}.appProtocol`, appProtocol, isQualifiedName))
  return errors
}

const nodePortsTwice = (ports: readonly ServicePort[]) =>
  seenBefore(ports, ({ nodePort, protocol }) => (nodePort ? `${protocol} ${nodePort}` : undefined)).map(
    ({ port, index }) => duplicate(`spec.ports[${index}].nodePort`, port.nodePort),
  )

const portsTwice = (ports: readonly ServicePort[]) =>
  seenBefore(ports, ({ port, protocol }) => `${protocol} ${port}`).map(({ port, index }) =>
    duplicate(`spec.ports[${index}]`, {
      Name: '',
      Protocol: port.protocol ?? '',
      AppProtocol: null,
      Port: port.port,
      TargetPort: 0,
      NodePort: 0,
    }),
  )

function seenBefore(ports: readonly ServicePort[], keyOf: (port: ServicePort) => string | undefined) {
  const seen = new Set<string>()
  return [...ports.entries()].flatMap(([index, port]) => {
    const key = keyOf(port)
    if (key === undefined) return []
    if (seen.has(key)) return [{ port, index }]
    seen.add(key)
    return []
  })
}
