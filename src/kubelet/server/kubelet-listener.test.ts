// The kubelet's port over real TLS: who is answered, and with what.
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import type { UserInfo } from '../../api/request.ts'
import { generateEcKeyPair, issueCertificate, privateKeyPem } from '../../base/x509/certificate.ts'
import { KubeletListener } from './kubelet-listener.ts'
import { text } from './kubelet-server.ts'

const authority = { keys: generateEcKeyPair(), subject: { commonName: 'authority' } }
const stranger = { keys: generateEcKeyPair(), subject: { commonName: 'stranger' } }

function pair(usage: 'authority' | 'server' | 'client', commonName: string, issuer = authority) {
  const own = usage === 'authority' ? issuer.keys : generateEcKeyPair()
  const certificate = issueCertificate({
    subject: usage === 'authority' ? issuer.subject : { commonName, organizations: ['people'] },
    publicKey: own.publicKey,
    issuer: { subject: issuer.subject, ...issuer.keys },
    notBefore: Date.parse('2020-01-01'),
    notAfter: Date.parse('2090-01-01'),
    usage,
    ipAddresses: ['127.0.0.1'],
  })
  return { certificate, privateKey: privateKeyPem(own.privateKey) }
}

const authorityCertificate = pair('authority', 'authority').certificate
const asked: [user: string, verb: string, subresource: string][] = []
const listener = new KubeletListener({
  tls: { ...pair('server', 'node'), clientAuthority: authorityCertificate },
  access: {
    userOf: async token =>
      token === 'good' ? ({ name: 'robot', groups: [] } satisfies UserInfo) : undefined,
    async allows(user, verb, subresource) {
      asked.push([user.name, verb, subresource])
      return user.groups.includes('people') || subresource === 'metrics' || subresource === 'healthz'
    },
  },
  answer: async ({ method, path, query }) =>
    path === '/logs/long'
      ? {
          code: 200,
          contentType: 'text/plain',
          body: (async function* () {
            yield Buffer.from('one ')
            yield Buffer.from('two')
          })(),
        }
      : text(path === '/nowhere' ? 404 : 200, `${method} ${path} ${query.get('q') ?? ''}`),
  log: pino({ level: 'silent' }),
})
let port = 0

before(async () => {
  port = await listener.listen(0, '127.0.0.1')
})
after(() => listener.close())

function ask(
  path: string,
  {
    token,
    client,
    method = 'GET',
  }: { token?: string; client?: ReturnType<typeof pair>; method?: string } = {},
) {
  return new Promise<{ code: number; body: string }>((resolve, reject) => {
    const headers = token ? { Authorization: `Bearer ${token}` } : {}
    const tls = {
      ca: authorityCertificate,
      ...(client && { cert: client.certificate, key: client.privateKey }),
    }
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false, ...tls },
      async response => {
        let body = ''
        for await (const chunk of response.setEncoding('utf8')) body += chunk
        resolve({ code: response.statusCode!, body })
      },
    )
    sent.once('error', reject).end()
  })
}

test('nobody without a name is answered', async () => {
  assert.deepEqual(await ask('/healthz'), { code: 401, body: 'Unauthorized' })
  assert.deepEqual(await ask('/healthz', { token: 'bad' }), { code: 401, body: 'Unauthorized' })
  const forged = pair('client', 'forger', stranger)
  assert.equal((await ask('/healthz', { client: forged })).code, 401)
  assert.deepEqual(asked, [])
})

test('a token is asked for what its path means', async () => {
  assert.deepEqual(await ask('/metrics/cadvisor?q=1', { token: 'good' }), {
    code: 200,
    body: 'GET /metrics/cadvisor 1',
  })
  assert.deepEqual(await ask('/healthz', { token: 'good' }), { code: 200, body: 'GET /healthz ' })
  assert.deepEqual(await ask('/pods', { token: 'good' }), {
    code: 403,
    body: 'Forbidden (user=robot, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
  })
  assert.equal((await ask('/run/a/b/c', { token: 'good', method: 'POST' })).code, 403)
  assert.deepEqual(asked.splice(0), [
    ['robot', 'get', 'metrics'],
    ['robot', 'get', 'healthz'],
    ['robot', 'get', 'pods'],
    ['robot', 'get', 'proxy'],
    ['robot', 'create', 'proxy'],
  ])
})

test('a certificate of the cluster is a name, too; long answers come in parts', async () => {
  const client = pair('client', 'ann')
  assert.deepEqual(await ask('/logs/long', { client }), { code: 200, body: 'one two' })
  assert.deepEqual(await ask('/logs/long', { client, method: 'HEAD' }), { code: 200, body: '' })
  assert.equal((await ask('/nowhere', { client })).code, 404)
})
