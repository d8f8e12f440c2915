import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from '../../base/manual-clock.ts'
import { PlainError } from '../../base/plain-error.ts'
import { ensurePki, type Pki } from './pki.ts'

const DAY_MS = 86_400_000

interface Place {
  directory: string
  clock: ManualClock
  ensure: (addresses?: string[]) => Promise<Pki>
}

function pkiTest(title: string, run: (place: Place) => Promise<void>): void {
  test(title, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pki-'))
    const clock = new ManualClock(Date.now())
    const ensure = (addresses = ['10.96.0.1']) =>
      ensurePki({ directory, addresses, names: ['node-1'], clock })
    try {
      await run({ directory, clock, ensure })
    } finally {
      await rm(directory, { recursive: true })
    }
  })
}

pkiTest('a second start keeps everything', async ({ ensure }) => {
  const first = await ensure()
  const second = await ensure()
  assert.deepEqual(second.server, first.server)
  assert.deepEqual(second.admin, first.admin)
  assert.equal(second.authorityCertificate, first.authorityCertificate)
  assert.equal(second.serviceAccountKey.equals(first.serviceAccountKey), true)
})

pkiTest(
  'private keys are readable by their owner only and no temporary file stays',
  async ({ directory, ensure }) => {
    await ensure()
    const files = await readdir(directory)
    assert.deepEqual(files.sort(), [
      'admin.crt',
      'admin.key',
      'apiserver.crt',
      'apiserver.key',
      'ca.crt',
      'ca.key',
      'sa.key',
      'sa.pub',
    ])
    for (const file of files.filter(name => name.endsWith('.key'))) {
      assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600, file)
    }
  },
)

pkiTest('the server certificate names the service, the node and every address', async ({ ensure }) => {
  const { server, authorityCertificate } = await ensure(['10.96.0.1', '192.168.1.5'])
  const leaf = new X509Certificate(server.certificate)
  assert.equal(leaf.verify(new X509Certificate(authorityCertificate).publicKey), true)
  for (const name of ['kubernetes', 'kubernetes.default.svc.cluster.local', 'localhost', 'node-1']) {
    assert.equal(leaf.checkHost(name), name)
  }
  for (const address of ['127.0.0.1', '10.96.0.1', '192.168.1.5'])
    assert.equal(leaf.checkIP(address), address)
})

pkiTest('a new address renews the server certificate under the same authority', async ({ ensure }) => {
  const first = await ensure()
  const second = await ensure(['10.96.0.1', '172.16.0.9'])
  assert.equal(second.authorityCertificate, first.authorityCertificate)
  assert.notEqual(second.server.certificate, first.server.certificate)
  assert.equal(second.admin.certificate, first.admin.certificate)
})

pkiTest('leaves are renewed well before they expire', async ({ clock, ensure }) => {
  const first = await ensure()
  await clock.advance(200 * DAY_MS)
  assert.equal((await ensure()).admin.certificate, first.admin.certificate)
  await clock.advance(100 * DAY_MS)
  assert.notEqual((await ensure()).admin.certificate, first.admin.certificate)
})

pkiTest('what a crash half-way left is made again', async ({ directory, ensure }) => {
  const first = await ensure()
  await unlink(join(directory, 'admin.crt'))
  await writeFile(join(directory, 'apiserver.key'), 'torn')
  await writeFile(join(directory, 'ca.key.new'), 'torn', { mode: 0o666 })
  const second = await ensure()
  assert.equal(second.authorityCertificate, first.authorityCertificate)
  assert.equal(new X509Certificate(second.admin.certificate).subject, 'O=system:masters\nCN=kubernetes-admin')
})

pkiTest('a foreign authority key is refused with a plain sentence', async ({ directory, ensure }) => {
  const { admin } = await ensure()
  await writeFile(join(directory, 'ca.key'), admin.privateKey)
  await assert.rejects(ensure(), (error: unknown) => {
    assert.ok(error instanceof PlainError)
    assert.match(error.message, /ca\.key and ca\.crt in .* do not belong together/)
    return true
  })
})
