import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import type { LifecycleHandler } from '../../api/types/core-v1.ts'
import { SystemClock } from '../../base/clock.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import type { ExecSyncResponse, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { PodEvents } from '../pod-events.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { type HookParts, HookRunner } from './hook-runner.ts'

const HOST = '127.0.0.1'
const systemClock = new SystemClock({ keepAlive: true })
const bytes = (text: string) => new TextEncoder().encode(text)

function make({ runtime = {}, clock = systemClock }: { runtime?: object; clock?: HookParts['clock'] } = {}) {
  const told: string[] = []
  const events = new PodEvents({
    event: (_about, type, reason, message) => told.push(`${type} ${reason} ${message}`),
  })
  const hooks = new HookRunner({ runtime: runtime as RuntimeService, clock, events })
  const target = { pod: podOf(), container: spec('app'), containerId: 'id', podIP: HOST }
  const run = (handler: LifecycleHandler, timeoutSeconds = 0, signal = new AbortController().signal) =>
    hooks.run(handler, target, timeoutSeconds, signal)
  const runAtStart = (handler: LifecycleHandler) =>
    hooks.run(handler, { ...target, justStarted: true }, 0, new AbortController().signal)
  return { run, runAtStart, told }
}

async function serving(
  listener: RequestListener,
  work: (port: number) => Promise<void>,
  server = createServer(listener),
) {
  await new Promise<void>(resolve => server.listen(0, HOST, resolve))
  try {
    await work((server.address() as { port: number }).port)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>(resolve => server.listen(0, HOST, resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

const answering = (answer: Partial<ExecSyncResponse>) => ({
  execSync: async () => ({ stdout: bytes(''), stderr: bytes(''), exitCode: 0, ...answer }),
})

test('a command that exits with 0 is a success', () =>
  make({ runtime: answering({}) }).run({ exec: { command: ['true'] } }))

test('a command that fails tells exit code and output', () =>
  assert.rejects(
    make({ runtime: answering({ exitCode: 3, stdout: bytes('out\n'), stderr: bytes('err\n') }) }).run({
      exec: { command: ['sh', '-c', 'x'] },
    }),
    {
      message:
        'Exec lifecycle hook ([sh -c x]) for Container "app" in Pod "p_ns(u)" failed - error: command \'sh -c x\' exited with 3: err\n, message: "out\\nerr\\n"',
    },
  ))

test('a GET tells who asks, and any status is a success', () => {
  const seen: string[] = []
  return serving(
    (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['user-agent']} ${request.headers['x-a']}`)
      response.statusCode = 500
      response.end()
    },
    async port => {
      await make().run({ httpGet: { port, path: 'a?b=c', httpHeaders: [{ name: 'X-A', value: '1' }] } })
      assert.deepEqual(seen, ['GET /a?b=c kube-lifecycle/1.36 1'])
    },
  )
})

test('a GET that nobody answers tells the network’s words', async () => {
  const port = await freePort()
  await assert.rejects(make().run({ httpGet: { port, path: '/x' } }), {
    message: `HTTP lifecycle hook (/x) for Container "app" in Pod "p_ns(u)" failed - error: Get "http://${HOST}:${port}/x": dial tcp ${HOST}:${port}: connect: connection refused`,
  })
})

test('HTTPS to a server of plain HTTP falls back, without Authorization, and says so', () => {
  const seen: (string | undefined)[] = []
  return serving(
    (request, response) => {
      seen.push(request.headers.authorization)
      response.end()
    },
    async port => {
      const { run, told } = make()
      const httpHeaders = [{ name: 'Authorization', value: 'secret' }]
      await run({ httpGet: { port, path: '/', scheme: 'HTTPS', httpHeaders } })
      assert.deepEqual(seen, [undefined])
      assert.deepEqual(told, [
        `Warning LifecycleHTTPFallback request to HTTPS lifecycle hook ${HOST}:${port} got HTTP response, retry with HTTP succeeded`,
      ])
    },
  )
})

test('a connection that opens is a success, also when the server is a moment late', async () => {
  const port = await freePort()
  const server = createTcpServer()
  const late = systemClock.sleep(150).then(() => new Promise<void>(done => server.listen(port, HOST, done)))
  await Promise.all([make().runAtStart({ tcpSocket: { port } }), late])
  server.close()
})

test('a request waits for a server that has only begun, and gives up after a second', async () => {
  const port = await freePort()
  const server = createServer((_, response) => response.end())
  const late = systemClock.sleep(150).then(() => server.listen(port, HOST))
  await Promise.all([make().runAtStart({ httpGet: { port, path: '/' } }), late])
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  await assert.rejects(make().runAtStart({ httpGet: { port, path: '/' } }), /connection refused/)
})

test('a connection that stays refused fails the hook after a second', async () => {
  const port = await freePort()
  await assert.rejects(make().runAtStart({ tcpSocket: { port } }), {
    message: `TCP lifecycle hook (${port}) for Container "app" in Pod "p_ns(u)" failed - error: dial tcp ${HOST}:${port}: connect: connection refused`,
  })
})

test('a sleep lasts as long as it says, but not longer than the grace', async () => {
  const clock = new ManualClock()
  const { run } = make({ clock })
  for (const [grace, expected] of [
    [0, 5_000],
    [30, 5_000],
    [2, 2_000],
  ] as const) {
    const startedAt = clock.now()
    const done = run({ sleep: { seconds: 5 } }, grace)
    await clock.advance(expected)
    await done
    assert.equal(clock.now() - startedAt, expected)
  }
})

test('a sleep that is cut short says so', async () => {
  const ending = new AbortController()
  const slept = make({ clock: new ManualClock() }).run({ sleep: { seconds: 5 } }, 0, ending.signal)
  ending.abort()
  await assert.rejects(slept, {
    message:
      'Sleep lifecycle hook (5) for Container "app" in Pod "p_ns(u)" failed - error: container terminated before sleep hook finished',
  })
})
