// Short words for tests of the HTTPS server: a server per test, ConfigMaps to send, a watch to read line by line.
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { test } from 'node:test'
import { identity, startTestServer, type TestServer, type TestServerOptions } from './test-server.ts'

export function serverTest(
  title: string,
  run: (server: TestServer) => Promise<void>,
  options?: TestServerOptions,
): void {
  test(title, async () => {
    await using server = await startTestServer(options)
    await run(server)
  })
}

export const MAPS = '/api/v1/namespaces/default/configmaps'

export const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

export const json = (value: unknown) => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
})

export interface OpenWatch {
  response: IncomingMessage
  next: () => Promise<string>
  stop: () => void
}

export function openWatch(
  { port, pki }: TestServer,
  path: string,
  accept = 'application/json',
): Promise<OpenWatch> {
  return new Promise((resolve, reject) => {
    const { headers, ...tls } = identity(pki)
    const options = { host: '127.0.0.1', port, path, agent: false as const, ...tls }
    const request = httpsRequest({ ...options, headers: { ...headers, Accept: accept } }, response => {
      const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
      let rest = ''
      const next = async () => {
        while (!rest.includes('\n')) {
          const { value, done } = await chunks.next()
          if (done) return ''
          rest += value.toString()
        }
        const line = rest.slice(0, rest.indexOf('\n'))
        rest = rest.slice(line.length + 1)
        return line
      }
      response.on('error', () => {})
      resolve({ response, next, stop: () => request.destroy() })
    })
    request.on('error', reject)
    request.end()
  })
}

export const until = async (condition: () => boolean) => {
  for (let tries = 0; !condition() && tries < 1000; tries++)
    await new Promise(resolve => setImmediate(resolve))
  assert.ok(condition())
}
