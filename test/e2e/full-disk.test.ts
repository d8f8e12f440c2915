// A data directory without any room: what cannot be written is refused in a sentence, what was acknowledged stays, what
// runs goes on, and everything works again when there is room.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SmallDisk } from './small-disk.ts'
import { eventually, kubernode, TestCluster } from './test-cluster.ts'

const dir = mkdtempSync(join(tmpdir(), 'kubernode-full-'))
let cluster: TestCluster
let disk: SmallDisk

before(async () => {
  const file = join(dir, 'kubelet.yaml')
  // No pod is to be ended for the disk's sake: that is another test.
  const text =
    'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionHard: {memory.available: 1Mi}\n'
  writeFileSync(file, text)
  cluster = new TestCluster('--kubelet-config', file)
  disk = new SmallDisk(cluster.dataDir, 160)
  await cluster.start()
})
after(async () => {
  await cluster?.stop()
  disk?.[Symbol.dispose]()
  for (const path of [dir, cluster.dataDir]) rmSync(path, { recursive: true, force: true })
})

const run = (name: string) =>
  cluster.kubectl([
    'run',
    name,
    '--image=busybox:1.36',
    '--',
    'sh',
    '-c',
    "trap 'exit 0' TERM; sleep 1000 & wait",
  ])
const ready = (name: string) => cluster.kubectl(`wait --for=condition=Ready pod/${name} --timeout=60s`)
const which = () => ['--name', cluster.name, '--data-dir', cluster.dataDir]

test('on a full disk writes are refused, nothing is lost, and it works again when there is room', async () => {
  await run('runs')
  await ready('runs')
  disk.fill()
  const data = join(dir, 'data')
  writeFileSync(data, randomBytes(300_000).toString('base64'))
  const acknowledged: string[] = []
  const sentence = await eventually('a write is refused', async () => {
    const name = `full-${acknowledged.length}`
    const { code, stderr } = await cluster.tryKubectl(['create', 'configmap', name, `--from-file=${data}`])
    if (code === 0) acknowledged.push(name)
    return code !== 0 && stderr
  })
  assert.equal(
    sentence,
    `error: failed to create configmap: Internal error occurred: the disk of ${cluster.dataDir}/store is full: nothing can be written until there is room again\n`,
  )
  assert.ok(acknowledged.length > 0)
  await run('waits')
  await eventually('it is told why it waits', async () =>
    (await cluster.kubectl('events --for pod/waits')).includes('no space left on device'),
  )
  assert.equal(await cluster.kubectl(['exec', 'runs', '--', 'echo', 'still here']), 'still here\n')
  const image = join(import.meta.dirname, '..', '..', '.cache', 'images', 'nginx')
  const { code, stderr } = await kubernode('image', 'load', image, '--tag', 'example/more:1', ...which())
  assert.deepEqual([code, stderr.trim().split('\n').length], [1, 1], stderr)
  assert.match(stderr, /no space left on device/)

  cluster.killProgram()
  const refused = await kubernode('up', '--detach', '--port', '0', ...which())
  assert.match(refused.stderr, /Less than 64 MB are free on the disk of .*: free some space/)
  disk.makeRoom()
  await cluster.start()
  const names = (await cluster.kubectl('get configmaps -o name')).split('\n')
  for (const name of acknowledged) assert.ok(names.includes(`configmap/${name}`), name)
  await Promise.all([ready('runs'), ready('waits')])
  const loaded = await kubernode('image', 'load', image, ...which())
  assert.equal(loaded.code, 0, loaded.stderr)
  await run('later')
  await ready('later')
})
