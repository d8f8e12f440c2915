import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { test } from 'node:test'
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import type { Probe } from '../../api/types/core-v1.ts'
import { SystemClock } from '../../base/clock.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { CriError } from '../../runtime/cri/cri-error.ts'
import type { ProbeOutcome } from './probe-outcome.ts'
import { runProbe } from './run-probe.ts'

const HOST = '127.0.0.1'
const noRuntime = {} as RuntimeService

function run(
  probe: Probe,
  more: { runtime?: RuntimeService; ports?: { name: string; containerPort: number }[] } = {},
) {
  const container = {
    name: 'c',
    ports: more.ports ?? [],
    resources: {},
    env: [{ name: 'FILE', value: '/tmp/healthy' }],
  }
  const target = { probe, container, containerId: 'id', podIP: HOST }
  const hands = { runtime: more.runtime ?? noRuntime, clock: new SystemClock({ keepAlive: true }) }
  return runProbe(target, hands, new AbortController().signal)
}

async function listening<T>(server: Server, work: (port: number) => Promise<T>): Promise<T> {
  await new Promise<void>(resolve => server.listen(0, HOST, resolve))
  try {
    return await work((server.address() as AddressInfo).port)
  } finally {
    server.close()
    if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections()
  }
}

const web = (handler: RequestListener, work: (port: number) => Promise<void>) =>
  listening(createServer(handler), work)

/** A port nobody listens on. */
const freePort = () => listening(createTcpServer(), async port => port)

test('any answer from 200 to 399 is a success', () =>
  web(
    (request, response) => {
      response.statusCode = Number(request.url!.slice(1))
      response.end(request.headers.accept)
    },
    async port => {
      const get = (status: number) => run({ httpGet: { port, path: `/${status}` } })
      assert.deepEqual(await get(200), { result: 'success', output: '*/*' })
      assert.deepEqual(await get(500), {
        result: 'failure',
        output: 'HTTP probe failed with statuscode: 500',
      })
      assert.equal((await get(404)).result, 'failure')
      assert.equal((await get(399)).result, 'warning')
    },
  ))

test('headers are the handler’s; Host may be another one', () =>
  web(
    (request, response) =>
      response.end(`${request.headers['x-a']} ${request.headers.host} ${request.headers['user-agent']}`),
    async port => {
      const httpHeaders = [
        { name: 'X-A', value: '1' },
        { name: 'X-A', value: '2' },
        { name: 'Host', value: 'example.com' },
      ]
      assert.deepEqual(
        await run(
          { httpGet: { port: 'web', httpHeaders } },
          { ports: [{ name: 'web', containerPort: port }] },
        ),
        {
          result: 'success',
          output: '1, 2 example.com kube-probe/1.36',
        },
      )
    },
  ))

test('redirects on the same host are followed, to another host they are a warning', () =>
  web(
    (request, response) => {
      const to = { '/local': '/end', '/far': 'http://example.com/', '/round': '/round' }[request.url!]
      if (to) response.writeHead(302, { Location: to }).end('moved')
      else response.end('arrived')
    },
    async port => {
      const get = (path: string) => run({ httpGet: { port, path } })
      assert.deepEqual(await get('/local'), { result: 'success', output: 'arrived' })
      assert.deepEqual(await get('/far'), {
        result: 'warning',
        output: 'Probe terminated redirects, Response body: moved',
      })
      assert.deepEqual(await get('/round'), {
        result: 'failure',
        output: 'Get "/round": stopped after 10 redirects',
      })
    },
  ))

test('no more than 10 KiB of a body are read', () =>
  web(
    (_request, response) => response.end('x'.repeat(50_000)),
    async port => assert.equal((await run({ httpGet: { port } })).output.length, 10_240),
  ))

test('a server that does not answer in time fails in Go’s words', () =>
  web(
    () => {},
    async port =>
      assert.deepEqual(await run({ httpGet: { port }, timeoutSeconds: 0.05 }), {
        result: 'failure',
        output: `Get "http://${HOST}:${port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      }),
  ))

test('a closed port fails in Go’s words', async () => {
  const port = await freePort()
  assert.deepEqual(await run({ httpGet: { port, path: 'a?b=1' } }), {
    result: 'failure',
    output: `Get "http://${HOST}:${port}/a?b=1": dial tcp ${HOST}:${port}: connect: connection refused`,
  })
  assert.deepEqual(await run({ tcpSocket: { port } }), {
    result: 'failure',
    output: `dial tcp ${HOST}:${port}: connect: connection refused`,
  })
  assert.deepEqual(await run({ grpc: { port, service: '' }, timeoutSeconds: 0.3 }), {
    result: 'failure',
    output: `timeout: failed to connect service "${HOST}:${port}" within 300ms: context deadline exceeded`,
  })
})

test('an open port is a success; a port without a number is an error', async () => {
  await listening(createTcpServer(), async port => {
    assert.equal((await run({ tcpSocket: { port } })).result, 'success')
  })
  assert.deepEqual(await run({ tcpSocket: { port: 'web' } }), {
    result: 'error',
    output: 'strconv.Atoi: parsing "web": invalid syntax',
  })
})

const bytes = (value: Buffer) => value
const health = {
  check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
} as const

async function grpcServing(withHealth: boolean, work: (port: number) => Promise<void>): Promise<void> {
  const server = new GrpcServer()
  // Field 1 of the request is the service's name; field 1 of the answer is its status.
  if (withHealth) {
    server.addService(health, {
      check: (call: { request: Buffer }, done: (error: object | null, answer?: Buffer) => void) => {
        const service = call.request.subarray(2).toString()
        if (service === 'unknown') done({ code: 5, details: 'unknown service' })
        else done(null, Buffer.from([8, service === 'sick' ? 2 : 1]))
      },
    })
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  await work(port).finally(() => server.forceShutdown())
}

test('grpc health: serving, not serving, unknown, not implemented', async () => {
  await grpcServing(true, async port => {
    const check = (service: string) => run({ grpc: { port, service } })
    assert.deepEqual(await check(''), { result: 'success', output: 'service healthy' })
    assert.equal((await check('sick')).output, 'service unhealthy (responded with "NOT_SERVING")')
    assert.equal(
      (await check('unknown')).output,
      'error: health rpc probe failed: rpc error: code = NotFound desc = unknown service',
    )
  })
  await grpcServing(false, async port =>
    assert.match(
      (await run({ grpc: { port, service: '' } })).output,
      /^error: this server does not implement the grpc health protocol \(grpc\.health\.v1\.Health\): /,
    ),
  )
})

const execRuntime = (execSync: RuntimeService['execSync']) => ({ execSync }) as RuntimeService

test('a command succeeds with 0, fails with its output, and knows literal variables', async () => {
  const said: string[][] = []
  const runtime = execRuntime(async ({ cmd }) => {
    said.push(cmd)
    const stderr = Buffer.from('no such file\n')
    return { stdout: new Uint8Array(), stderr, exitCode: cmd[0] === 'cat' ? 1 : 0 }
  })
  const exec = { command: ['cat', '$(FILE)'] }
  assert.deepEqual(await run({ exec }, { runtime }), { result: 'failure', output: 'no such file\n' })
  assert.deepEqual(said, [['cat', '/tmp/healthy']])
  assert.equal((await run({ exec: { command: ['true'] } }, { runtime })).result, 'success')
})

test('a command that takes too long has failed; another error of the runtime is tried three times', async () => {
  const exec = { command: ['sleep', '9'] }
  const slow = execRuntime(() => Promise.reject(new CriError(4, 'too late')))
  assert.deepEqual(await run({ exec }, { runtime: slow }), {
    result: 'failure',
    output: 'command "sleep 9" timed out',
  } satisfies ProbeOutcome)
  let tries = 0
  const broken = execRuntime(() => {
    tries++
    return Promise.reject(new CriError(2, 'broken'))
  })
  assert.deepEqual(await run({ exec }, { runtime: broken }), { result: 'error', output: 'broken' })
  assert.equal(tries, 3)
})
