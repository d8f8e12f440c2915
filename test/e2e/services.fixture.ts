// Servers that say their name, and Services in front of them.
import type { PodSpec, ServiceSpec } from '../../src/api/types/core-v1.ts'

/** Says its name over HTTP at 8080 and in answer to any datagram at 5353. */
const SERVER = `
const name = require('node:os').hostname()
require('node:http').createServer((request, response) => response.end(name)).listen(8080)
const socket = require('node:dgram').createSocket('udp4')
socket.on('message', (_, from) => socket.send(name, from.port, from.address))
socket.bind(5353)
`

/** Ready when it answers over HTTP. */
export function pod(name: string, labels: Record<string, string>, spec: Partial<PodSpec> = {}) {
  const container = {
    name: 'c',
    image: 'node:24',
    command: ['node', '-e', SERVER],
    ports: [{ name: 'web', containerPort: 8080 }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { terminationGracePeriodSeconds: 0, containers: [container], ...spec },
  }
}

/** Of port 80, in front of the pods labelled `app: web`. */
export const service = (name: string, spec: Partial<ServiceSpec> = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }], ...spec },
})
