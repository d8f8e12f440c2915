import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatKubeconfig, parseKubeconfig, readKubeconfig, writeKubeconfig } from './kubeconfig.ts'

const content = {
  name: 'kubernode',
  user: 'admin',
  server: 'https://127.0.0.1:6443',
  ca: 'CA',
  cert: 'CERT',
  key: 'KEY',
}
const access = { server: content.server, ca: 'CA', cert: 'CERT', key: 'KEY' }

function inDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'kubernode-kubeconfig-'))
  try {
    body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('what is written is read back, and only its owner can read it', () =>
  inDirectory(directory => {
    const path = join(directory, 'new', 'kubeconfig')
    writeKubeconfig(path, content)
    assert.deepEqual(readKubeconfig(path), access)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  }))

test('files that it names are relative to it, and a named context is found', () =>
  inDirectory(directory => {
    for (const name of ['ca', 'crt', 'key', 'token']) writeFileSync(join(directory, name), `${name}\n`)
    const path = join(directory, 'config')
    writeFileSync(
      path,
      `
current-context: none
clusters: [{name: c, cluster: {server: 'https://s', certificate-authority: ca, insecure-skip-tls-verify: true}}]
users: [{name: u, user: {client-certificate: crt, client-key: ${directory}/key, tokenFile: token}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]
`,
    )
    assert.deepEqual(readKubeconfig(path, 'x'), {
      server: 'https://s',
      ca: 'ca\n',
      cert: 'crt\n',
      key: 'key\n',
      token: 'token',
      insecureSkipTlsVerify: true,
      namespace: 'n',
    })
    assert.throws(() => readKubeconfig(path), {
      name: 'PlainError',
      message: `the kubeconfig ${path} has no context "none"`,
    })
  }))

test('a kubeconfig that is not there is told in one sentence', () => {
  assert.throws(() => readKubeconfig('/nowhere/config'), {
    message: 'cannot read /nowhere/config: it does not exist',
  })
})

test('long certificates are kept on one line, as kubectl writes them', () => {
  const text = formatKubeconfig({ ...content, ca: 'x'.repeat(3_000) })
  assert.match(text, /certificate-authority-data: [A-Za-z0-9+/=]{4000}\n/)
  assert.equal(parseKubeconfig(text, { path: '-' }).ca?.length, 3_000)
})
