// Services: from creation to the first answer through one, and programming the kernel beside bare nft.
import { execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Draft } from '../src/api/kube-object.ts'
import { pods, services } from '../src/api/resources.ts'
import type { Pod, Service } from '../src/api/types/core-v1.ts'
import type { Client } from '../src/client/client.ts'

export interface RuleFigures {
  compiling: number
  install: number
  again: number
  bareInstall: number
  change: number
  bareChange: number
}

/** Milliseconds; in a network namespace of its own. */
export function measureRules(): RuleFigures {
  const program = join(import.meta.dirname, 'service-rules.ts')
  const output = execFileSync('unshare', ['-n', process.execPath, program], { encoding: 'utf8' })
  return JSON.parse(output.trim().split('\n').at(-1)!) as RuleFigures
}

const LABELS = { app: 'bench-web' }

/** Starts what the Services lead to; resolves when it is Ready. */
export async function startServer(client: Client): Promise<void> {
  const draft = {
    metadata: { name: 'bench-web', namespace: 'default', labels: LABELS },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'web',
          image: 'busybox:1.36',
          command: ['httpd', '-f', '-p', '8080'],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  } as unknown as Draft<Pod>
  const { metadata } = await client.create(pods, draft)
  const watch = client.watch(pods, {
    namespace: 'default',
    fieldSelector: 'metadata.name=bench-web',
    resourceVersion: metadata.resourceVersion,
  })
  for await (const { type, object } of watch)
    if (
      type !== 'BOOKMARK' &&
      object.status.conditions?.some(one => one.type === 'Ready' && one.status === 'True')
    )
      return
}

/** What knocks before the address is known is not answered at all: the next try must not wait for TCP's own second. */
const TRY_MS = 5

/** Milliseconds from the call that creates a Service until a connection through its address is made. */
export async function createToAnswer(client: Client, name: string): Promise<number> {
  const startedAt = performance.now()
  const draft = {
    metadata: { name, namespace: 'default' },
    spec: { selector: LABELS, ports: [{ port: 80, targetPort: 8080 }] },
  } as unknown as Draft<Service>
  const { spec } = await client.create(services, draft)
  while (!(await connects(spec.clusterIP!))) {}
  const tookMs = performance.now() - startedAt
  await client.delete(services, { name, namespace: 'default' })
  return tookMs
}

function connects(host: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port: 80, timeout: TRY_MS })
    const end = (made: boolean) => {
      socket.destroy()
      resolve(made)
    }
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false))
  })
}
