// The port of a probe or hook: a number, or the name of one of the container's ports. Upstream: probe.ResolveContainerPort.
import type { Container } from '../../api/types/core-v1.ts'

/** Throws with upstream's text when it is neither. */
export function handlerPort(port: number | string, container: Container): number {
  const number = typeof port === 'number' ? port : named(port, container)
  if (number > 0 && number < 65536) return number
  throw new Error(`invalid port number: ${number}`)
}

function named(name: string, { ports = [] }: Container): number {
  const found = ports.find(port => port.name === name)
  if (found) return found.containerPort
  if (/^[+-]?\d+$/.test(name)) return Number(name)
  throw new Error(`strconv.Atoi: parsing ${JSON.stringify(name)}: invalid syntax`)
}
