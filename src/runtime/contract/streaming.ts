import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts'
import type { Suite } from './suite.ts'

type Streams = Record<'error' | 'stdin' | 'stdout' | 'stderr' | 'resize', SpdyStream>

/** Dials a URL that Exec or Attach answered and opens these streams. */
async function open(url: string, names: readonly (keyof Streams)[]): Promise<Streams & Disposable> {
  const request = httpRequest(url, {
    method: 'POST',
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': 'v4.channel.k8s.io',
      'Content-Length': 0,
    },
  })
  request.end()
  const [, socket, head] = (await once(request, 'upgrade')) as [unknown, Duplex, Buffer]
  if (head.length > 0) socket.unshift(head)
  const connection = new SpdyConnection(socket, { role: 'client', resetEnds: true })
  const streams = Object.fromEntries(
    names.map(streamtype => [streamtype, connection.openStream({ streamtype })]),
  ) as Streams
  return { ...streams, [Symbol.dispose]: () => connection.destroy() }
}

const exitCodeOf = (status: string): string | undefined =>
  (
    JSON.parse(status || '{}') as { details?: { causes?: { reason?: string; message?: string }[] } }
  ).details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message

const ALL = { stdin: true, stdout: true, stderr: true, tty: false }

export function streamingTests({ check, lacks }: Suite): void {
  if (lacks('streaming')) return

  check('a command has its input with an end, outputs apart, and an exit code', async (pod, { service }) => {
    const containerId = await pod.startReady('app')
    const cmd = ['sh', '-c', 'cat; echo complaint >&2; exit 7']
    const { url } = await service.exec({ containerId, cmd, ...ALL })
    using streams = await open(url, ['error', 'stdin', 'stdout', 'stderr'])
    streams.stdin.end('words')
    const heard = await Promise.all([text(streams.stdout), text(streams.stderr), text(streams.error)])
    assert.deepEqual([...heard.slice(0, 2), exitCodeOf(heard[2])], ['words', 'complaint\n', '7'])
  })

  check('a command may open its own streams again by name', async (pod, { service }) => {
    const containerId = await pod.startReady('app')
    const cmd = ['sh', '-c', 'cat /dev/stdin > /dev/stdout']
    const { url } = await service.exec({ containerId, cmd, ...ALL, stderr: false })
    using streams = await open(url, ['error', 'stdin', 'stdout'])
    streams.stdin.end('again')
    assert.equal(await text(streams.stdout), 'again')
  })

  check('a command on a terminal knows its size', async (pod, { service }) => {
    const containerId = await pod.startReady('app')
    const cmd = ['sh', '-c', 'until stty size | grep "17 91"; do sleep 0.02; done 2>/dev/null; tty']
    const { url } = await service.exec({ containerId, cmd, ...ALL, stderr: false, tty: true })
    using streams = await open(url, ['error', 'stdin', 'stdout', 'resize'])
    streams.resize.write('{"Width":91,"Height":17}\n')
    assert.match(await text(streams.stdout), /17 91\r\n\/dev\/pts\/\d+\r\n$/)
    assert.equal(exitCodeOf(await text(streams.error)), undefined)
  })

  check(
    'a program that is not there is told as a failure, not as a complaint of the command',
    async (pod, { service }) => {
      const containerId = await pod.startReady('app')
      const { url } = await service.exec({ containerId, cmd: ['/no/such/program'], ...ALL, stdin: false })
      using streams = await open(url, ['error', 'stdout', 'stderr'])
      const [stderr, error] = await Promise.all([text(streams.stderr), text(streams.error)])
      assert.equal(stderr, '')
      assert.match((JSON.parse(error) as { message: string }).message, /error executing command in container/)
    },
  )

  check(
    'what a visitor types reaches a container with stdin, whose answer is heard and logged',
    async (pod, { service }) => {
      const containerId = await pod.start(
        'app',
        {},
        { stdin: true, stdinOnce: true, command: ['sh', '-c', 'cat; echo over'] },
      )
      const { url } = await service.attach({ containerId, ...ALL, stderr: false })
      using streams = await open(url, ['error', 'stdin', 'stdout'])
      streams.stdin.end('hello\n')
      assert.equal(await text(streams.stdout), 'hello\nover\n')
      assert.equal((await pod.ended(containerId)).exitCode, 0)
    },
  )

  check('neither is possible once the container has ended', async (pod, { service }) => {
    const containerId = await pod.start('app', { exitAfterMs: 0 })
    await pod.ended(containerId)
    await assert.rejects(service.exec({ containerId, cmd: ['true'], ...ALL }))
    await assert.rejects(service.attach({ containerId, ...ALL }))
  })
}
