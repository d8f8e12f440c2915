import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import type { WebSocket } from 'ws'
import type { RemoteStatus } from '../../api/node-access.ts'
import { StatusError } from '../../api/status-error.ts'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import { Channels, StreamingWorld } from './streaming-world.fixture.ts'

let world: StreamingWorld
before(async () => {
  world = await StreamingWorld.open()
})
after(() => world.close())

const EXIT_3: RemoteStatus = {
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: 'command terminated with non-zero exit code: error executing command [x], exit code 3',
  details: { causes: [{ reason: 'ExitCode', message: '3' }] },
}

/** Repeats its input on stdout, complains on stderr, and fails. */
function complain(): void {
  world.session = async ({ stdin, stdout, stderr }) => {
    const words = stdin ? await text(stdin) : ''
    await new Promise<void>(resolve => stdout!.end(`heard ${words}`, () => resolve()))
    await new Promise<void>(resolve => stderr!.end('oh', () => resolve()))
    return EXIT_3
  }
}

const ALL = 'web/exec?command=x&command=y&stdin=1&stdout=true&stderr=true'

async function opened(webSocket: WebSocket): Promise<void> {
  await once(webSocket, 'open')
}

/** The status of the answer that refused a WebSocket, and its words. */
async function refused(webSocket: WebSocket): Promise<{ code: number; words: string }> {
  const [, answer] = (await once(webSocket, 'unexpected-response')) as [unknown, IncomingMessage]
  return { code: answer.statusCode ?? 0, words: (await text(answer)).trim() }
}

test('v5: stdin ends by a close message; outputs and status come on their channels', async () => {
  complain()
  const webSocket = world.webSocket(ALL, ['v5.channel.k8s.io'])
  const channels = new Channels(webSocket)
  await opened(webSocket)
  assert.equal(webSocket.protocol, 'v5.channel.k8s.io')
  webSocket.send(Buffer.from('\0in put'))
  webSocket.send(Buffer.from([255, 0]))
  assert.equal(await channels.closed, 1000)
  assert.equal(channels.text(1), 'heard in put')
  assert.equal(channels.text(2), 'oh')
  assert.deepEqual(JSON.parse(channels.text(3)), EXIT_3)
  assert.deepEqual(world.asked.at(-1), {
    container: 'only',
    command: ['x', 'y'],
    stdin: true,
    stdout: true,
    stderr: true,
    tty: false,
  })
})

test('of several protocols the first that is spoken is taken; the older ones say exit codes in words', async () => {
  const table = [
    {
      asked: ['v9.channel.k8s.io', 'v4.channel.k8s.io'],
      chosen: 'v4.channel.k8s.io',
      status: JSON.stringify(EXIT_3),
    },
    { asked: ['channel.k8s.io'], chosen: 'channel.k8s.io', status: EXIT_3.message },
    {
      asked: ['v4.base64.channel.k8s.io'],
      chosen: 'v4.base64.channel.k8s.io',
      status: JSON.stringify(EXIT_3),
    },
    { asked: ['base64.channel.k8s.io'], chosen: 'base64.channel.k8s.io', status: EXIT_3.message },
    { asked: [], chosen: '', status: EXIT_3.message },
  ]
  for (const { asked, chosen, status } of table) {
    complain()
    const webSocket = world.webSocket('web/exec?command=x&stdout=1&stderr=1', asked)
    const channels = new Channels(webSocket, chosen.includes('base64'))
    await opened(webSocket)
    assert.equal(webSocket.protocol, chosen)
    await channels.closed
    assert.equal(channels.text(1), 'heard ', chosen)
    assert.equal(channels.text(3), status, chosen)
  }
})

test('a protocol that is not spoken is refused', async () => {
  const { code, words } = await refused(world.webSocket(ALL, ['v9.channel.k8s.io']))
  assert.equal(code, 403)
  assert.match(words, /^requested protocol\(s\) are not supported/)
})

test('sizes reach a terminal, whose stderr is its stdout', async () => {
  const sizes: object[] = []
  world.session = async ({ stdout, stderr, resizes }) => {
    assert.equal(stderr, undefined)
    for await (const size of resizes!) {
      sizes.push(size)
      if (sizes.length === 2) break
    }
    await new Promise<void>(resolve => stdout!.end(resolve))
    return { metadata: {}, status: 'Success' }
  }
  const webSocket = world.webSocket('web/exec?command=x&stdout=1&stderr=1&tty=1', ['v5.channel.k8s.io'])
  const channels = new Channels(webSocket)
  await opened(webSocket)
  for (const size of [
    '{"Width":80,"Height":24}',
    '{"Width":0,"Height":24}',
    'nonsense}',
    '{"Width":100,"Height":40}\n',
  ])
    webSocket.send(`\x04${size}`)
  await channels.closed
  assert.deepEqual(sizes, [
    { width: 80, height: 24 },
    { width: 100, height: 40 },
  ])
  assert.deepEqual(JSON.parse(channels.text(3)), { metadata: {}, status: 'Success' })
})

test('messages that are empty, of unknown channels or without stdin change nothing', async () => {
  complain()
  const webSocket = world.webSocket('web/exec?command=x&stdout=1&stderr=1', ['v5.channel.k8s.io'])
  const channels = new Channels(webSocket)
  await opened(webSocket)
  for (const bytes of [[], [9, 1, 2], [0, 65], [255], [255, 7], [4]]) webSocket.send(Buffer.from(bytes))
  assert.equal(await channels.closed, 1000)
  assert.equal(channels.text(1), 'heard ')
})

test('a client that goes away aborts the session', async () => {
  const aborted = Promise.withResolvers<void>()
  world.session = (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted.resolve()
        reject(signal.reason)
      })
    })
  const webSocket = world.webSocket(ALL, ['v5.channel.k8s.io'])
  await opened(webSocket)
  webSocket.terminate()
  await aborted.promise
  const connection = await world.spdy(ALL, ['v4.channel.k8s.io'])
  assert.ok(connection instanceof SpdyConnection)
  connection.destroy()
})

test('what the node refuses: v5 is accepted and told, the others are answered in plain HTTP', async () => {
  world.refusal = new StatusError({ code: 500, message: 'container not found ("only")' })
  try {
    const webSocket = world.webSocket(ALL, ['v5.channel.k8s.io'])
    const channels = new Channels(webSocket)
    await opened(webSocket)
    await channels.closed
    const { status, message } = JSON.parse(channels.text(3)) as { status: string; message: string }
    assert.equal(status, 'Failure')
    assert.equal(
      message,
      'Internal error occurred: unable to upgrade connection: container not found ("only")',
    )
    assert.deepEqual(await refused(world.webSocket(ALL, ['v4.channel.k8s.io'])), {
      code: 500,
      words: 'container not found ("only")',
    })
    const answer = await world.spdy(ALL, ['v4.channel.k8s.io'])
    assert.ok(!(answer instanceof SpdyConnection))
    assert.equal(answer.code, 500)
    assert.equal(answer.text, 'container not found ("only")\n')
  } finally {
    world.refusal = undefined
  }
})

const refusals: [what: string, path: string, code: number, words: string][] = [
  ['a pod that is not there', 'nobody/exec?command=x&stdout=1', 404, 'pods "nobody" not found'],
  [
    'several containers',
    'pair/exec?command=x&stdout=1',
    400,
    'a container name must be specified for pod pair, choose one of: [one two]',
  ],
  [
    'a container that is not there',
    'web/exec?command=x&stdout=1&container=nix',
    400,
    'container nix is not valid for pod web',
  ],
  ['a pod without a node', 'waiting/attach?stdout=1', 400, 'pod waiting does not have a host assigned'],
  ['no stream at all', 'web/attach', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
]
for (const [what, path, code, words] of refusals) {
  test(`${what}: refused with ${code} over either protocol`, async () => {
    assert.deepEqual(await refused(world.webSocket(path, ['v4.channel.k8s.io'])), { code, words })
    const answer = await world.spdy(path, ['v4.channel.k8s.io'])
    assert.ok(!(answer instanceof SpdyConnection))
    assert.deepEqual([answer.code, answer.text.trim()], [code, words])
  })
}

test('a WebSocket is a GET that must be allowed to create; a POST is one already', async () => {
  complain()
  world.authorized.length = 0
  const webSocket = world.webSocket('web/exec?command=x&stdout=1&stderr=1', ['v5.channel.k8s.io'])
  await new Channels(webSocket).closed
  assert.deepEqual(
    world.authorized.map(({ user: _, ...rest }) => rest),
    [
      {
        verb: 'create',
        group: '',
        version: 'v1',
        resource: 'pods',
        subresource: 'exec',
        namespace: 'default',
        name: 'web',
      },
    ],
  )
})

test('SPDY: a stream for each, half-closed by FIN, the status on the error stream', async () => {
  for (const [protocol, status] of [
    ['v4.channel.k8s.io', JSON.stringify(EXIT_3)],
    ['v2.channel.k8s.io', EXIT_3.message],
  ] as const) {
    complain()
    const connection = await world.spdy(ALL, [protocol])
    assert.ok(connection instanceof SpdyConnection)
    const open = (streamtype: string) => connection.openStream({ streamtype })
    const [error, stdin, stdout, stderr] = [open('error'), open('stdin'), open('stdout'), open('stderr')]
    stdin.end('spdy')
    const outputs = await Promise.all([text(stdout), text(stderr), text(error)])
    assert.deepEqual(outputs, ['heard spdy', 'oh', status])
    connection.destroy()
  }
})

test('SPDY: without a protocol in common the answer names those that are spoken', async () => {
  const answer = await world.spdy(ALL, ['v9.channel.k8s.io'])
  assert.ok(!(answer instanceof SpdyConnection))
  assert.equal(answer.code, 403)
  assert.deepEqual(answer.headers['x-accepted-stream-protocol-versions'], [
    'v4.channel.k8s.io',
    'v3.channel.k8s.io',
    'v2.channel.k8s.io',
    'channel.k8s.io',
  ])
})

test('20 MB each way through a slow command arrive whole', async () => {
  world.session = async ({ stdin, stdout }) => {
    for await (const chunk of stdin!) {
      if (!stdout!.write(chunk)) await once(stdout!, 'drain')
    }
    await new Promise<void>(resolve => stdout!.end(resolve))
    return { metadata: {}, status: 'Success' }
  }
  const webSocket = world.webSocket('web/exec?command=cat&stdin=1&stdout=1', ['v5.channel.k8s.io'])
  const channels = new Channels(webSocket)
  await opened(webSocket)
  const block = Buffer.alloc(32 * 1024 + 1)
  for (let sent = 0; sent < 640; sent++) {
    block.fill(sent % 251, 1)
    await new Promise<void>((resolve, reject) =>
      webSocket.send(Buffer.from(block), error => (error ? reject(error) : resolve())),
    )
  }
  webSocket.send(Buffer.from([255, 0]))
  await channels.closed
  const back = Buffer.concat(
    channels.messages.filter(message => message[0] === 1).map(message => message.subarray(1)),
  )
  assert.equal(back.length, 640 * 32 * 1024)
  for (let at = 0; at < back.length; at += 16 * 1024)
    assert.equal(back[at], Math.floor(at / (32 * 1024)) % 251)
})
