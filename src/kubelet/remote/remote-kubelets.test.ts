// Another node's kubelet, played by a small server that demands a client certificate and speaks as kubelets do.
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Duplex, PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import type { NodeAccess } from '../../api/node-access.ts'
import { StatusError } from '../../api/status-error.ts'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts'
import { generateEcKeyPair, issueCertificate, privateKeyPem } from '../../base/x509/certificate.ts'
import { remoteKubelets } from './remote-kubelets.ts'

const [keys, leaf] = [generateEcKeyPair(), generateEcKeyPair()]
const subject = { commonName: 'authority' }
const certificateFor = (usage: 'authority' | 'server' | 'client') =>
  issueCertificate({
    subject: usage === 'authority' ? subject : { commonName: usage },
    publicKey: (usage === 'authority' ? keys : leaf).publicKey,
    issuer: { subject, ...keys },
    notBefore: Date.parse('2020-01-01'),
    notAfter: Date.parse('2090-01-01'),
    usage,
  })
const privateKey = privateKeyPem(leaf.privateKey)
const asked: string[] = []

const server = createServer(
  { cert: certificateFor('server'), key: privateKey, ca: certificateFor('authority'), requestCert: true },
  (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url?.startsWith('/containerLogs/default/web/late')) {
      response.writeHead(400).end('container "late" in pod "web" is waiting to start: PodInitializing\n')
    } else if (request.url?.startsWith('/nowhere')) response.writeHead(404).end('404 page not found\n')
    else response.writeHead(200, { 'Content-Type': 'text/plain' }).end('all there is\n')
  },
)
server.on('upgrade', (request, socket) => {
  asked.push(`${request.method} ${request.url}`)
  if (request.url?.includes('/absent/')) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 18\r\n\r\npod does not exist')
    return
  }
  const protocol = request.headers['x-stream-protocol-version']
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  )
  const streams: Record<string, SpdyStream> = {}
  const wanted = request.url?.startsWith('/portForward') ? 2 : 3
  new SpdyConnection(socket, {
    role: 'server',
    onStream(stream) {
      streams[String(stream.headers.streamtype)] = stream
      if (Object.keys(streams).length === wanted) void serve(streams)
    },
  })
})

/** Says back in capitals what it is told. */
async function serve({ stdin, stdout, data, error }: Record<string, SpdyStream>): Promise<void> {
  const said = await text(stdin ?? data!)
  ;(stdout ?? data!).end(said.toUpperCase())
  error!.end(stdin ? JSON.stringify({ metadata: {}, status: 'Success' }) : '')
}

let kubelets: NodeAccess
before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  kubelets = remoteKubelets({
    locate: async () => `https://127.0.0.1:${port}`,
    pair: { certificate: certificateFor('client'), privateKey },
  })
})
after(() => {
  server.close()
  server.closeAllConnections()
})

const web = { namespace: 'default', name: 'web', uid: '1' }
const never = new AbortController().signal
const options = { container: 'c', stdin: true, stdout: true, stderr: false, tty: false }

test('logs are asked for as the options say; a refusal keeps its words', async () => {
  const wanted = { container: 'c', follow: false, previous: true, timestamps: false, tailLines: 0 }
  assert.equal(await text(Readable.from(await kubelets.logs('n', web, wanted, never))), 'all there is\n')
  assert.equal(asked.at(-1), 'GET /containerLogs/default/web/c?previous=true&tailLines=0')
  await assert.rejects(
    () => kubelets.logs('n', web, { ...wanted, container: 'late' }, never),
    (error: unknown) =>
      error instanceof StatusError &&
      error.status.code === 400 &&
      error.message === 'container "late" in pod "web" is waiting to start: PodInitializing',
  )
})

test('paths of its own are passed on', async () => {
  assert.equal(Buffer.from((await kubelets.get('n', '/stats/summary'))!.body).toString(), 'all there is\n')
  assert.equal(await kubelets.get('n', '/nowhere'), undefined)
  const query = new URLSearchParams({ cmd: 'ls' })
  const answer = await kubelets.ask('n', { method: 'POST', path: '/run/default/web/c', query, signal: never })
  assert.deepEqual([answer.code, answer.contentType], [200, 'text/plain'])
  assert.equal(asked.at(-1), 'POST /run/default/web/c?cmd=ls')
})

test('a command’s streams travel both ways', async () => {
  const session = await kubelets.exec('n', web, { ...options, command: ['tr', 'a b'] })
  const stdout = new PassThrough()
  const [status, said] = await Promise.all([
    session({ stdin: Readable.from(['hello']), stdout }, never),
    text(stdout),
  ])
  assert.deepEqual([status.status, said], ['Success', 'HELLO'])
  assert.equal(asked.at(-1), 'POST /exec/default/web/c?input=1&output=1&command=tr&command=a+b')
  const attached = await kubelets.attach('n', { ...web, name: 'absent' }, options)
  await assert.rejects(() => attached({}, never), /unable to upgrade connection: pod does not exist/)
})

test('a port is forwarded', async () => {
  const forward = await kubelets.portForward('n', web)
  const said: Buffer[] = []
  const stream = Duplex.from({
    readable: Readable.from([Buffer.from('ping')]),
    writable: async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) said.push(chunk)
    },
  })
  await forward(80, stream, never)
  assert.equal(Buffer.concat(said).toString(), 'PING')
  assert.equal(asked.at(-1), 'POST /portForward/default/web')
})

test('a kubelet that is not there is told with its address', async () => {
  const lost = remoteKubelets({
    locate: async () => 'https://127.0.0.1:1',
    pair: { certificate: certificateFor('client'), privateKey },
  })
  await assert.rejects(
    () => lost.get('n', '/healthz'),
    /Get "https:\/\/127\.0\.0\.1:1\/healthz": .*ECONNREFUSED/,
  )
})
