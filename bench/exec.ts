// exec as clients see it: from the WebSocket's handshake to the status of the command, beside a bare `crun exec`.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'
import { pods } from '../src/api/resources.ts'
import type { Client } from '../src/client/client.ts'
import type { KubeconfigAccess } from '../src/client/kubeconfig.ts'
import { createAndWait, initPod } from './pods.ts'

const run = promisify(execFile)
const POD = 'exec-bench'
const MEGABYTES = 100

export interface ExecFigures {
  roundTripMs: number[]
  bareMs: number[]
  megabytesPerSecond: { in: number; out: number }
}

export async function execBench(
  client: Client,
  access: KubeconfigAccess,
  dataDir: string,
  runs: number,
): Promise<ExecFigures> {
  const { status } = await createAndWait(client, initPod(POD, 0))
  const containerId = status.containerStatuses![0]!.containerID!.replace(/^.*:\/\//, '')
  const figures: ExecFigures = { roundTripMs: [], bareMs: [], megabytesPerSecond: { in: 0, out: 0 } }
  for (let count = 0; count < runs; count++) {
    figures.roundTripMs.push(await timed(() => exec(access, ['true'])))
    figures.bareMs.push(await timed(() => bareExec(dataDir, containerId)))
  }
  const rate = async (work: () => Promise<void>) => Math.round(MEGABYTES / ((await timed(work)) / 1_000))
  const zeros = ['dd', 'if=/dev/zero', 'bs=1M', `count=${MEGABYTES}`]
  figures.megabytesPerSecond.out = await rate(() => exec(access, zeros))
  figures.megabytesPerSecond.in = await rate(() => exec(access, ['sh', '-c', 'cat > /dev/null'], MEGABYTES))
  await client.delete(pods, { name: POD, namespace: 'default' }, { gracePeriodSeconds: 0 })
  return figures
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

async function exec(access: KubeconfigAccess, command: readonly string[], megabytesIn = 0): Promise<void> {
  const query = new URLSearchParams({ stdout: '1' })
  for (const word of command) query.append('command', word)
  if (megabytesIn > 0) query.set('stdin', '1')
  const url = `${access.server.replace('http', 'ws')}/api/v1/namespaces/default/pods/${POD}/exec?${query}`
  const { ca, cert, key } = access
  const webSocket = new WebSocket(url, 'v5.channel.k8s.io', { ca, cert, key } as WebSocket.ClientOptions)
  let status = ''
  webSocket.on('message', (message: Buffer) => {
    if (message[0] === 3) status += message.toString('utf8', 1)
  })
  const closed = once(webSocket, 'close')
  if (megabytesIn > 0) await sendZeros(webSocket, megabytesIn)
  await closed
  if ((JSON.parse(status) as { status: string }).status !== 'Success')
    throw new Error(`exec failed: ${status}`)
}

async function sendZeros(webSocket: WebSocket, megabytes: number): Promise<void> {
  await once(webSocket, 'open')
  const piece = Buffer.alloc(32 * 1024 + 1)
  for (let sent = 0; sent < megabytes * 32; sent++) {
    await new Promise<void>((resolve, reject) => {
      webSocket.send(piece, error => (error ? reject(error) : resolve()))
    })
  }
  webSocket.send(Buffer.from([255, 0]))
}

async function bareExec(dataDir: string, containerId: string): Promise<void> {
  const runtime = join(dataDir, 'runtime')
  const inside = ['nsenter', `--mount=${join(runtime, 'ns', 'mnt')}`]
  const [command, ...args] = [
    ...inside,
    'crun',
    `--root=${join(runtime, 'volatile', 'oci')}`,
    'exec',
    containerId,
    'true',
  ]
  await run(command!, args)
}
