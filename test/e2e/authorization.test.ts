// Who may do what, end to end: real kubectl, and a pod's own token as the pod finds it in its file.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { peekClaims, signToken, tokenKey } from '../../src/apiserver/authn/json-web-token.ts'
import { generateEcKeyPair } from '../../src/base/x509/certificate.ts'
import { eventually, type Output, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let server: string

before(async () => {
  cluster = await TestCluster.up()
  server = await cluster.kubectl('config view --raw -o jsonpath={.clusters[0].cluster.server}')
})
after(async () => cluster[Symbol.asyncDispose]())

/** kubectl with nothing but this token. */
function withToken(token: string, args: string): Promise<Output> {
  const authority = join(cluster.dataDir, 'pki', 'ca.crt')
  const flags = [
    '--kubeconfig=/dev/null',
    `--server=${server}`,
    `--certificate-authority=${authority}`,
    `--token=${token}`,
  ]
  return cluster.tryKubectl([...flags, ...args.split(' ')])
}

async function podToken(pod: string): Promise<string> {
  const spec = {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'c',
        image: 'busybox:1.30',
        command: ['sh', '-c', 'cat /var/run/secrets/kubernetes.io/serviceaccount/token && sleep 600'],
      },
    ],
  }
  await cluster.kubectl('apply -f -', {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod }, spec }),
  })
  return eventually('the pod shows its token', () => cluster.kubectl(`logs ${pod}`))
}

test('a pod may do nothing by default, and exactly what RBAC gives it', async () => {
  const token = await podToken('worker')
  const whoami = await withToken(token, 'auth whoami -o jsonpath={.status.userInfo}')
  const { username, groups, extra } = JSON.parse(whoami.stdout)
  assert.equal(username, 'system:serviceaccount:default:default')
  assert.deepEqual(groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:default',
    'system:authenticated',
  ])
  assert.deepEqual(extra['authentication.kubernetes.io/pod-name'], ['worker'])

  const refused = await withToken(token, 'get pods')
  assert.equal(refused.code, 1)
  assert.equal(
    refused.stderr.trim(),
    'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"',
  )
  await cluster.kubectl('create role reader --verb=get,list --resource=pods')
  await cluster.kubectl('create rolebinding reader --role=reader --serviceaccount=default:default')
  const allowed = await eventually('the binding holds', async () => {
    const answer = await withToken(token, 'get pods -o name')
    return answer.code === 0 && answer
  })
  assert.match(allowed.stdout, /pod\/worker/)
  for (const [question, answer] of [
    ['can-i list pods', 'yes'],
    ['can-i delete pods', 'no'],
    ['can-i list pods -n kube-system', 'no'],
    ['can-i get secrets', 'no'],
    ['can-i create selfsubjectaccessreviews.authorization.k8s.io', 'yes'],
  ]) {
    assert.equal((await withToken(token, `auth ${question}`)).stdout.trim(), answer, question)
  }
  const list = await withToken(token, 'auth can-i --list')
  assert.match(list.stdout, /^pods +\[\] +\[\] +\[get list\]$/m)

  await cluster.kubectl('delete pod worker --grace-period=0 --force')
  const revoked = await withToken(token, 'get pods')
  assert.match(revoked.stderr, /You must be logged in to the server \(Unauthorized\)/)
})

test('tokens that are expired, foreign, for others or revoked are refused', async () => {
  await cluster.kubectl('create serviceaccount robot')
  await cluster.kubectl('create rolebinding robot --clusterrole=view --serviceaccount=default:robot')
  const token = (await cluster.kubectl('create token robot')).trim()
  await eventually('the token is good', async () => (await withToken(token, 'get configmaps')).code === 0)

  const claims = peekClaims(token)!
  const now = Math.floor(Date.now() / 1000)
  const key = tokenKey(createPrivateKey(readFileSync(join(cluster.dataDir, 'pki', 'sa.key'))))
  const foreign = tokenKey(generateEcKeyPair().privateKey)
  const elsewhere = (await cluster.kubectl('create token robot --audience=vault')).trim()
  const bad: [what: string, token: string][] = [
    ['expired', signToken({ ...claims, iat: now - 7200, nbf: now - 7200, exp: now - 3600 }, key)],
    ['not valid yet', signToken({ ...claims, nbf: now + 3600, exp: now + 7200 }, key)],
    ['signed by another key', signToken(claims, foreign)],
    ['of another issuer', signToken({ ...claims, iss: 'https://elsewhere.example' }, key)],
    ['for another audience', elsewhere],
    ['torn', token.slice(0, -10)],
    ['no token at all', 'nonsense'],
  ]
  for (const [what, one] of bad) {
    const { code, stderr } = await withToken(one, 'get configmaps')
    assert.equal(code, 1, what)
    assert.match(stderr, /Unauthorized/, what)
  }
  const review = (spec: object) =>
    cluster.kubectl('create -o jsonpath={.status} -f -', {
      input: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec }),
    })
  const vault = JSON.parse(await review({ token: elsewhere, audiences: ['vault'] }))
  assert.deepEqual([vault.authenticated, vault.audiences], [true, ['vault']])
  assert.equal(JSON.parse(await review({ token: elsewhere })).authenticated, undefined)

  await cluster.kubectl('delete serviceaccount robot')
  assert.match((await withToken(token, 'get configmaps')).stderr, /Unauthorized/)
})

test('others may act for each other only where they may impersonate', async () => {
  await cluster.kubectl('create clusterrolebinding jane --clusterrole=view --user=jane')
  assert.equal((await cluster.kubectl('auth can-i get pods --as jane')).trim(), 'yes')
  const secrets = await cluster.tryKubectl(['get', 'secrets', '--as', 'jane'])
  assert.equal(
    secrets.stderr.trim(),
    'Error from server (Forbidden): secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"',
  )
  const whoami = await cluster.kubectl(
    'auth whoami -o jsonpath={.status.userInfo.groups} --as joe --as-group a --as-group b',
  )
  assert.deepEqual(JSON.parse(whoami), ['a', 'b', 'system:authenticated'])
})

test('a certificate request becomes a user', async () => {
  const [key, csr] = [join(cluster.dataDir, 'bob.key'), join(cluster.dataDir, 'bob.csr')]
  const openssl = [
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-out',
    csr,
    '-subj',
    '/O=devs/CN=bob',
  ]
  execFileSync('openssl', openssl, { stdio: 'ignore' })
  const spec = {
    request: readFileSync(csr).toString('base64'),
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
  }
  const request = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'bob' },
    spec,
  }
  await cluster.kubectl('create -f -', { input: JSON.stringify(request) })
  await cluster.kubectl('certificate approve bob')
  const encoded = await eventually('the certificate is there', () =>
    cluster.kubectl('get csr bob -o jsonpath={.status.certificate}'),
  )
  const flags = [
    '--kubeconfig=/dev/null',
    `--server=${server}`,
    `--certificate-authority=${join(cluster.dataDir, 'pki', 'ca.crt')}`,
  ]
  const file = join(cluster.dataDir, 'bob.crt')
  writeFileSync(file, Buffer.from(encoded, 'base64'))
  const whoami = await cluster.tryKubectl([
    ...flags,
    `--client-certificate=${file}`,
    `--client-key=${key}`,
    'auth',
    'whoami',
    '-o',
    'jsonpath={.status.userInfo.username} {.status.userInfo.groups}',
  ])
  assert.equal(whoami.stdout, 'bob ["devs","system:authenticated"]')
})

test('namespaces hold their pods to what they say', async () => {
  await cluster.kubectl('create namespace strict')
  await cluster.kubectl('label namespace strict pod-security.kubernetes.io/enforce=restricted')
  const run = (more: string) =>
    cluster.tryKubectl(`run p --image=busybox:1.30 --restart=Never ${more}`.split(' '))
  const refused = await run('-n strict')
  assert.match(
    refused.stderr,
    /^Error from server \(Forbidden\): pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "p" must set securityContext\.allowPrivilegeEscalation=false\), /,
  )
  await cluster.kubectl('create namespace small')
  const limits = {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'l' },
    spec: { limits: [{ type: 'Container', default: { cpu: '50m', memory: '32Mi' } }] },
  }
  await cluster.kubectl('apply -n small -f -', { input: JSON.stringify(limits) })
  await cluster.kubectl('run p -n small --image=busybox:1.30 --restart=Never -- true')
  assert.equal(
    await cluster.kubectl('get pod p -n small -o jsonpath={.spec.containers[0].resources}'),
    '{"limits":{"cpu":"50m","memory":"32Mi"},"requests":{"cpu":"50m","memory":"32Mi"}}',
  )
})

test('anybody with an account can verify tokens', async () => {
  const token = (await cluster.kubectl('create token default')).trim()
  const configuration = JSON.parse(
    (await withToken(token, 'get --raw /.well-known/openid-configuration')).stdout,
  )
  assert.equal(configuration.issuer, peekClaims(token)?.iss)
  const { keys } = JSON.parse((await withToken(token, 'get --raw /openid/v1/jwks')).stdout)
  assert.equal(keys.length, 1)
  assert.equal(keys[0].use, 'sig')
})
